import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig(
  library({
    // `node:sqlite` exists under that name alone.
    removeNodeProtocol: false,
    // The CommonJS build finds the file of its thread by `import.meta.url` too.
    shims: true,
    define: { BUILT_VERSION: JSON.stringify(version) },
  }),
);
