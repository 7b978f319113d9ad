#!/usr/bin/env node
import { existsSync } from 'node:fs';

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
// Committed, so that the command can be linked before the first build.
const cli = new URL('../dist/cli.js', import.meta.url);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`create-runner needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  process.exitCode = 1;
} else if (existsSync(cli)) {
  await import(cli.href);
} else {
  console.error('create-runner is not built yet. Run `pnpm build` (or `npm test`) in the repository first.');
  process.exitCode = 1;
}
