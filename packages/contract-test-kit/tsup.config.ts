import { copyFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

export default defineConfig(
  library({
    // The requirements are read beside the bundle; the shim gives the CommonJS build its import.meta.url.
    shims: true,
    onSuccess: async () => copyFileSync('src/requirements/1.0.yaml', 'dist/1.0.yaml'),
  }),
);
