import { readFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };

export default defineConfig(
  library({
    // The command takes what it serves with from the package, as everybody does.
    external: ['@controlplane/jobforge'],
    // `node:sqlite` exists under that name alone.
    removeNodeProtocol: false,
    // The CommonJS build finds the file of its thread by `import.meta.url` too.
    shims: true,
    define: { BUILT_VERSION: JSON.stringify(version) },
  }),
);
