import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const BIN = fileURLToPath(new URL('../../packages/runner/bin/controlplane-runner.js', import.meta.url));

/** The ready-made runner as a process. */
export interface Daemon {
  readonly child: ChildProcess;
  readonly exit: Promise<number | null>;
  log(): string;
}

/** Starts it with these variables and no others; it is gone when the test is over. */
export function startDaemon(args: readonly string[], env: Readonly<Record<string, string>>): Daemon {
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [BIN, ...args], {
    env: { PATH, HOME, ...env },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let log = '';
  child.stderr?.on('data', (chunk: Buffer) => (log += chunk.toString('utf8')));
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return { child, exit, log: () => log };
}
