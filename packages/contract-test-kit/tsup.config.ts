import { copyFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

export default defineConfig(
  library({
    // The requirements are read beside the bundle; the shim gives the CommonJS build its import.meta.url.
    shims: true,
    // node:test has no name without the protocol.
    removeNodeProtocol: false,
    onSuccess: async () => {
      for (const file of ['1.0.yaml', 'later.yaml', 'explanations.yaml'])
        copyFileSync(`src/requirements/${file}`, `dist/${file}`);
    },
  }),
);
