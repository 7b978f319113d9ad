#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Committed, so that the command can be linked before the first build.
const cli = new URL('../dist/cli.js', import.meta.url);
if (existsSync(cli)) {
  await import(cli.href);
} else {
  console.error(
    'controlplane-runner is not built yet. Run `pnpm build` (or `npm test`) in the repository first.',
  );
  process.exitCode = 1;
}
