import { main } from './cli/main.js';

// From here and from dist alike, the package's own package.json is one folder up.
await main(new URL('../package.json', import.meta.url));
