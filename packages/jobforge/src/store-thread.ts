import { serveStore } from './store/store-thread.js';

await serveStore();
