import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import type { Readable } from 'node:stream';
import { isGroupAlive, residentBytesOf } from './process-group.js';

/** Characters of a runner's output that are kept, newest last. */
const KEPT_OUTPUT = 16_000;

/** How long a runner may take to end after SIGTERM before it is killed. */
export const STOP_GRACE_MS = 1_500;

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: string | null;
}

/** How a runner is told to end, or is ended. */
export type StopSignal = 'SIGTERM' | 'SIGINT' | 'SIGKILL';

export interface RunnerProcess {
  /** Settles when the process ends. Never rejects. */
  readonly ended: Promise<ProcessEnd>;
  /** How it ended; undefined while it runs. */
  end(): ProcessEnd | undefined;
  /** The newest of what it wrote on stdout and stderr. */
  output(): string;
  /** Sends a signal to the process and those it started. */
  signal(name: StopSignal): void;
  /** Whether the process or any that it started goes on. */
  isAlive(): boolean;
  /** Bytes of memory that it and those it started hold; undefined where that cannot be read. */
  residentBytes(): Promise<number | undefined>;
  /** Ends it and all it started: SIGTERM, then SIGKILL. */
  stop(): Promise<void>;
}

const running = new Set<RunnerProcess>();

/** Kills every process that the kit has started and not stopped: for the way out. */
export function killAllRunnerProcesses(): void {
  for (const runner of running) runner.signal('SIGKILL');
}

/** Ports that were given to runners, newest last. */
const given = new Set<number>();
/** More than live at once, and than start while one of them starts. */
const REMEMBERED_PORTS = 256;

/**
 * A TCP port of 127.0.0.1 that nothing listens on, and that no other runner was given lately: one that is starting
 * does not listen yet.
 */
export async function freePort(): Promise<number> {
  let port = await unusedPort();
  while (given.has(port)) port = await unusedPort();
  given.add(port);
  const [oldest] = given;
  if (given.size > REMEMBERED_PORTS && oldest !== undefined) given.delete(oldest);
  return port;
}

function unusedPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

function signalGroup(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch (error) {
    // The group has ended already: that is what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

export interface RunnerProcessOptions {
  readonly command: string;
  readonly cwd?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** What a child writes, and how it ends. */
export interface WatchedChild extends Pick<RunnerProcess, 'ended' | 'end' | 'output'> {
  /** Adds words of the kit's own to what it wrote. */
  note(text: string): void;
  /** Lets go of its output: what has left its group may hold the other end for ever. */
  release(): void;
}

/** Keeps what a child writes, and takes one that cannot be started for one that ended with 127. */
export function watchChild(child: ChildProcessByStdio<null, Readable, Readable>): WatchedChild {
  let output = '';
  let end: ProcessEnd | undefined;
  const note = (text: string): void => {
    output = (output + text).slice(-KEPT_OUTPUT);
  };
  const keep = (chunk: Buffer): void => note(chunk.toString('utf8'));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const ended = new Promise<ProcessEnd>((resolve) => {
    const settle = (next: ProcessEnd): void => {
      end ??= next;
      resolve(end);
    };
    child.once('error', (error) => {
      note(error.message);
      settle({ code: 127, signal: null });
    });
    child.once('exit', (code, signal) => settle({ code, signal }));
  });
  return {
    ended,
    end: () => end,
    output: () => output,
    note,
    release: () => {
      child.stdout.destroy();
      child.stderr.destroy();
    },
  };
}

/** Resolves when it has ended, or has been given its grace. */
export async function endOrGrace({ ended }: Pick<RunnerProcess, 'ended'>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, STOP_GRACE_MS);
  });
  await Promise.race([ended, late]);
  clearTimeout(timer);
}

/**
 * Starts a command in a process group of its own. The shell that reads it outlives signals, so that the
 * exit code is the runner's, however the command is written.
 */
export function startRunnerProcess({ command, cwd, env }: RunnerProcessOptions): RunnerProcess {
  const child = spawn('/bin/sh', ['-c', `trap : TERM INT\n${command}`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
    ...(cwd === undefined ? {} : { cwd }),
  });
  const watched = watchChild(child);
  const { ended, end, output } = watched;
  const pid = child.pid ?? 0;
  const signal = (name: StopSignal): void => {
    if (pid > 0) signalGroup(pid, name);
  };
  const stop = async (): Promise<void> => {
    if (!end()) {
      signal('SIGTERM');
      await endOrGrace(watched);
    }
    // Also what the runner itself started and left behind.
    signal('SIGKILL');
    await ended;
    watched.release();
    running.delete(runner);
  };
  const runner: RunnerProcess = {
    ...{ ended, end, output, signal, stop },
    isAlive: () => pid > 0 && isGroupAlive(pid),
    residentBytes: () => Promise.resolve(pid > 0 ? residentBytesOf(pid) : undefined),
  };
  running.add(runner);
  return runner;
}
