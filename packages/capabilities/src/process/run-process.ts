import { spawn, type ChildProcess, type StdioOptions } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { CapabilityError } from '@controlplane/runner-sdk';
import { MARK_VARIABLE } from './child-environment.js';
import type { ProcessLedger } from './process-ledger.js';
import { stopProcesses, type Started } from './process-stop.js';
import { killAtExit } from './signals.js';

/** What is still in the pipes of a program that has ended is there at once; what comes later is somebody else's. */
const DRAIN_MS = 500;

/** A user and group that a program runs as. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
}

/** A program to be run, with whatever it starts in turn. */
export interface ProcessSpec {
  /** An absolute path, then the arguments. */
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin?: string | undefined;
  /** File descriptors from 3 on: open files of ours, or pipes that are read. */
  readonly extraFds?: ReadonlyArray<number | 'pipe'> | undefined;
  readonly runAs?: RunAs | undefined;
  /** Ends it when aborted. */
  readonly signal: AbortSignal;
  /** Milliseconds between SIGTERM and SIGKILL. */
  readonly termGraceMs: number;
  /** Where it is written down while it runs; without one it is neither written down nor marked. */
  readonly ledger?: ProcessLedger | undefined;
  /** Names this execution; 1–64 characters of a file name. */
  readonly mark: string;
  readonly onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void;
  /** What arrives on a pipe among `extraFds`. */
  readonly onExtra?: ((chunk: Buffer) => void) | undefined;
}

/** How a program ended. */
export interface ProcessEnd {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly durationMs: number;
}

const notStarted = (argv: readonly string[], error: NodeJS.ErrnoException): CapabilityError =>
  new CapabilityError('COMMAND_NOT_STARTED', `${argv[0]} could not be started: ${error.message}`, {
    retryable: error.code === 'EAGAIN' || error.code === 'ENOMEM' || error.code === 'EMFILE',
    cause: error,
    remedy: 'Check that the program exists on the machine of the runner and may be executed by its user.',
  });

function listen(child: ChildProcess, spec: ProcessSpec): void {
  child.stdout?.on('data', (chunk: Buffer) => spec.onOutput('stdout', chunk));
  child.stderr?.on('data', (chunk: Buffer) => spec.onOutput('stderr', chunk));
  for (const stream of child.stdio.slice(3)) {
    if (stream && 'readable' in stream) stream.on('data', (chunk: Buffer) => spec.onExtra?.(chunk));
  }
  // A program that does not read its input is no error.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(spec.stdin ?? '');
}

/** The program in a session and group of its own, marked. Throws what `spawn` throws or says. */
function start(spec: ProcessSpec): ChildProcess {
  const [program = '', ...args] = spec.argv;
  const stdio: StdioOptions = ['pipe', 'pipe', 'pipe', ...(spec.extraFds ?? [])];
  return spawn(program, args, {
    cwd: spec.cwd,
    env: spec.ledger ? { ...spec.env, [MARK_VARIABLE]: spec.mark } : spec.env,
    stdio,
    detached: true,
    ...spec.runAs,
  });
}

function begin(spec: ProcessSpec): ChildProcess {
  try {
    return start(spec);
  } catch (error) {
    throw notStarted(spec.argv, error as NodeJS.ErrnoException);
  }
}

interface Endings {
  readonly exited: Promise<Pick<ProcessEnd, 'exitCode' | 'signal'>>;
  readonly closed: Promise<void>;
}

function endingsOf(child: ChildProcess, spec: ProcessSpec): Endings {
  const exited = new Promise<Pick<ProcessEnd, 'exitCode' | 'signal'>>((resolve, reject) => {
    child.once('error', (error) => reject(notStarted(spec.argv, error)));
    child.once('exit', (exitCode, signal) => resolve({ exitCode, signal }));
  });
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return { exited, closed };
}

/** Takes what the program wrote before it ended, and no more. */
async function drain(child: ChildProcess, closed: Promise<void>, started: Started): Promise<void> {
  const patience = new AbortController();
  const late = wait(DRAIN_MS, true, { signal: patience.signal }).catch(() => false);
  await Promise.race([closed, late]);
  patience.abort();
  // Whatever the program left running goes with it, whether or not it holds the pipes.
  await stopProcesses(started, DRAIN_MS);
  // A pipe may be held by a process that is beyond reach: of another user, or stuck in the kernel.
  const stuck = new AbortController();
  const given = wait(DRAIN_MS, undefined, { signal: stuck.signal }).catch(() => undefined);
  await Promise.race([closed, given]);
  stuck.abort();
  for (const stream of child.stdio) stream?.destroy();
}

async function follow(child: ChildProcess, started: Started, spec: ProcessSpec): Promise<ProcessEnd> {
  const { signal, termGraceMs } = spec;
  const startedMs = performance.now();
  const { exited, closed } = endingsOf(child, spec);
  let stopping: Promise<void> | undefined;
  const stop = (): void => {
    stopping ??= stopProcesses(started, termGraceMs);
  };
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    const { exitCode, signal: endedBy } = await exited;
    const durationMs = Math.round(performance.now() - startedMs);
    await stopping;
    await drain(child, closed, started);
    return { exitCode, signal: endedBy, durationMs };
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

/**
 * Runs a program to its end, and the end of everything that it started.
 * @throws CapabilityError `COMMAND_NOT_STARTED` when it cannot be started
 */
export async function runProcess(spec: ProcessSpec): Promise<ProcessEnd> {
  spec.signal.throwIfAborted();
  spec.ledger?.open(spec.mark);
  let forget: (() => void) | undefined;
  try {
    const child = begin(spec);
    if (child.pid === undefined) {
      await endingsOf(child, spec).exited;
      throw new Error('a process without a pid has ended');
    }
    spec.ledger?.name(spec.mark, child.pid);
    forget = killAtExit(child.pid);
    listen(child, spec);
    return await follow(child, { pid: child.pid, mark: spec.ledger && spec.mark }, spec);
  } finally {
    forget?.();
    spec.ledger?.close(spec.mark);
  }
}
