import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { ServingLine } from './json-output.js';

// The command as it is installed: built, in a process of its own.
const bin = fileURLToPath(new URL('../../bin/jobforge.js', import.meta.url));

export interface ServingProcess {
  readonly child: ChildProcessWithoutNullStreams;
  readonly url: string;
  readonly ready: Extract<ServingLine, { event: 'ready' }>;
  readonly lines: AsyncIterator<string>;
}

export const jobforge = (
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): ChildProcessWithoutNullStreams => {
  const child = spawn(process.execPath, [bin, ...args], { env: { ...process.env, NO_COLOR: '1', ...env } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
};

/** Starts a command that serves, on a free port, and waits until it is ready. */
export async function startServing(
  command: 'dev' | 'serve',
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<ServingProcess> {
  const child = jobforge([command, '--json', '--port', '0', ...args], env);
  let err = '';
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  if (first.done) throw new Error(`jobforge ${command} ended before it was ready: ${err}`);
  const ready = ServingLine.parse(JSON.parse(first.value));
  if (ready.event !== 'ready') throw new Error(`the first line is ${first.value}`);
  return { child, url: ready.url, ready, lines };
}

export const exitOf = async (
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number; out: string; err: string }> => {
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number];
  return { code, out, err };
};

/** A folder that is gone with the test. */
export async function testFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'jobforge-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}
