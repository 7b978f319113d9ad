/**
 * @module
 * The real line for end-to-end tests: `jobforge dev` and runners as processes of their own, from the built packages.
 * Nothing here knows what is inside them: it speaks HTTP and signals.
 */
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../packages/jobforge/bin/jobforge.js', import.meta.url));
const runnersFolder = new URL('runners/', import.meta.url);
const running = new Set<ChildProcess>();

/** A port that was free a moment ago, for a server that must come back on the same one. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address !== 'object' || !address) throw new Error('no port');
  return address.port;
}

function track(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Ends what a test left running. */
export async function endProcesses(): Promise<void> {
  await Promise.all([...running].map((child) => endProcess(child, 'SIGKILL')));
}

/** Sends a signal and waits for the exit; resolves with the exit code. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
  return child.exitCode;
}

export interface JobForgeProcess {
  readonly url: string;
  readonly child: ChildProcess;
}

/** Starts `jobforge dev` and waits for its ready line. */
export async function startJobForge(
  options: { port?: number; data?: string } = {},
): Promise<JobForgeProcess> {
  const store = options.data === undefined ? ['--memory'] : ['--data', options.data];
  const args = [cli, 'dev', '--json', '--port', String(options.port ?? 0), ...store];
  const child = track(
    spawn(process.execPath, args, {
      env: { PATH: process.env['PATH'] },
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
  if (!child.stdout) throw new Error('no stdout');
  const lines = createInterface(child.stdout);
  const ended = once(child, 'exit').then(([code]) =>
    Promise.reject(new Error(`jobforge dev ended with ${code}`)),
  );
  ended.catch(() => undefined);
  const [line] = await Promise.race([once(lines, 'line'), ended]);
  const ready: unknown = JSON.parse(String(line));
  if (typeof ready !== 'object' || !ready || !('url' in ready))
    throw new Error(`unexpected first line: ${line}`);
  return { url: String(ready.url), child };
}

/** Begins a runner of `runners/`, whatever becomes of it. */
export function beginRunner(file: string, env: Record<string, string>): ChildProcess {
  return track(
    fork(fileURLToPath(new URL(file, runnersFolder)), [], {
      env: { PATH: process.env['PATH'], ...env },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    }),
  );
}

/** Starts a runner of `runners/`; it tells over IPC when it is registered and what it does. */
export async function startRunner(file: string, env: Record<string, string>): Promise<ChildProcess> {
  const child = beginRunner(file, env);
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${file} ended with ${code}`)));
  ended.catch(() => undefined);
  await Promise.race([once(child, 'message'), ended]);
  return child;
}
