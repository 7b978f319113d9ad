import { copyFileSync } from 'node:fs';
import { defineConfig } from 'tsup';
import { library } from '../../tsup.shared.js';

const READ_BESIDE_THE_BUNDLE = {
  requirements: ['1.0.yaml', 'later.yaml', 'explanations.yaml'],
  fixtures: ['conformance_fixtures.py', 'conformance_fixtures.go', 'conformance-fixtures.sh'],
};

export default defineConfig(
  library({
    // They are read beside the bundle; the shim gives the CommonJS build its import.meta.url.
    shims: true,
    // node:test has no name without the protocol.
    removeNodeProtocol: false,
    onSuccess: async () => {
      for (const [room, files] of Object.entries(READ_BESIDE_THE_BUNDLE))
        for (const file of files) copyFileSync(`src/${room}/${file}`, `dist/${file}`);
    },
  }),
);
