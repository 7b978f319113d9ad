import { readFile } from 'node:fs/promises';
import { runCli } from './run-cli.js';

/**
 * The `controlplane-runner` command as a process: its arguments, environment and streams. Signals are the runner's.
 * @param packageJson - where the version is written
 */
export async function main(packageJson: URL): Promise<void> {
  const { version } = JSON.parse(await readFile(packageJson, 'utf8')) as { version: string };
  const exitCode = await runCli(process.argv.slice(2), {
    env: process.env,
    version,
    fetch: globalThis.fetch,
    write: (text) => void process.stdout.write(`${text}\n`),
    writeError: (text) => void process.stderr.write(`${text}\n`),
  });
  // A runner that runs says itself with what its process ends.
  if (exitCode !== undefined) process.exitCode = exitCode;
}
