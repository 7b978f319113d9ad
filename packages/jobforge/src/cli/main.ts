import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import type { CliContext } from './cli-context.js';
import { httpFetch } from './http-fetch.js';
import { openLocalFile } from './local-file.js';
import { machineFacts } from './machine-facts.js';
import { runCli } from './program.js';
import { saveFile } from './save-file.js';
import { endWithReader, onSignal } from './signals.js';
import { startForge } from './start-forge.js';
import { processTerminal } from './terminal.js';

/**
 * The `jobforge` command as a process: its arguments, environment, streams and signals.
 * @param packageJson - where the version is written
 */
export async function main(packageJson: URL): Promise<void> {
  endWithReader();
  const { version } = JSON.parse(await readFile(packageJson, 'utf8')) as { version: string };
  const context: CliContext = {
    terminal: processTerminal(process.env),
    env: process.env,
    fetch: httpFetch,
    readFile: (path) => readFile(path, 'utf8'),
    openFile: openLocalFile,
    saveFile,
    readStdin: () => text(process.stdin),
    now: Date.now,
    version,
    machine: machineFacts,
    startForge,
    onSignal,
  };
  process.exitCode = await runCli(process.argv.slice(2), context);
}
