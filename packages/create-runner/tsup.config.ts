import { defineConfig } from 'tsup';
import { packTemplates } from './src/packaging/pack-templates.js';

/** One file that needs nothing installed: what it uses is inside, and so are the templates, beside it. */
export default defineConfig({
  entry: ['src/cli.ts'],
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  splitting: false,
  minify: true,
  clean: true,
  // The CommonJS packages inside ask for Node's own modules by `require`.
  banner: { js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url);" },
  onSuccess: async () => {
    packTemplates({
      templates: '../../templates',
      workspace: '../../pnpm-workspace.yaml',
      manifest: 'package.json',
      into: 'dist/templates',
    });
  },
});
