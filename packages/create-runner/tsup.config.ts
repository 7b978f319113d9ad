import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { bundledLicenses } from './src/packaging/bundled-licenses.js';
import { packTemplates } from './src/packaging/pack-templates.js';

const METAFILE = 'dist/metafile-esm.json';

function writeLicenses(): void {
  const { inputs } = JSON.parse(readFileSync(METAFILE, 'utf8')) as { inputs: Record<string, unknown> };
  writeFileSync('dist/THIRD-PARTY-LICENSES.txt', bundledLicenses(Object.keys(inputs)));
  rmSync(METAFILE);
}

/** One file that needs nothing installed: what it uses is inside, and so are the templates, beside it. */
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  splitting: false,
  minify: true,
  metafile: true,
  clean: true,
  // The CommonJS packages inside ask for Node's own modules by `require`.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);",
  },
  onSuccess: async () => {
    writeLicenses();
    packTemplates({
      templates: '../../templates',
      workspace: '../../pnpm-workspace.yaml',
      manifest: 'package.json',
      packages: '..',
      into: 'dist/templates',
    });
  },
});
