import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

// The one public entry is the index: every other file here is one concern of it.
export default defineConfig(library().map((build) => ({ ...build, entry: ['src/index.ts'] })));
