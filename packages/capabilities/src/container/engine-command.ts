import { execFileSync, spawnSync } from 'node:child_process';
import { createCapturedOutput } from '../process/captured-output.js';
import { runProcess, type ProcessEnd } from '../process/run-process.js';
import { engineEnvironment, type Engine } from './engine.js';

/** Bytes of what a command of the engine says that are kept: one `inspect` is some tens of KB. */
const SAID_BYTES = 1024 * 1024;
/** Time in which an engine answers; fetching an image has that of its job. */
const COMMAND_MS = 30_000;

/** How a command of the engine ended. */
export interface EngineAnswer extends ProcessEnd {
  readonly stdout: string;
  readonly stderr: string;
}

/** How a command of the engine is run. */
export interface EngineCommandOptions {
  /** Ends the command, not what it has made. Default: after 30 seconds. */
  readonly signal?: AbortSignal | undefined;
  readonly stdin?: string | undefined;
  /** Variables beside those of every command. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Called with what is printed in place of keeping it. */
  readonly onOutput?: ((stream: 'stdout' | 'stderr', chunk: Buffer) => void) | undefined;
}

/**
 * Runs a command of the engine to its end. It carries no mark: what watches over a container is started by such a command
 * and must outlive it.
 */
export async function engineCommand(
  engine: Engine,
  args: readonly string[],
  options: EngineCommandOptions = {},
): Promise<EngineAnswer> {
  const said = { stdout: createCapturedOutput(SAID_BYTES), stderr: createCapturedOutput(SAID_BYTES) };
  const end = await runProcess({
    argv: [engine.path, ...args],
    cwd: '/',
    env: { ...options.env, ...engineEnvironment() },
    stdin: options.stdin,
    signal: options.signal ?? AbortSignal.timeout(COMMAND_MS),
    termGraceMs: 1_000,
    mark: '',
    onOutput: options.onOutput ?? ((stream, chunk) => said[stream].write(chunk)),
  });
  return { ...end, stdout: said.stdout.read().text, stderr: said.stderr.read().text };
}

/** Removes containers, running or not, with their volumes; podman would wait ten seconds for them to end. */
export const removeArguments = ({ kind }: Engine, names: readonly string[]): readonly string[] => [
  'rm',
  '--force',
  '--volumes',
  ...(kind === 'podman' ? ['--time=0', '--ignore'] : []),
  ...names,
];

/**
 * Kills containers. Before they are removed: where the command that stops one was cut off, podman removes its record and
 * lets it run.
 */
export const killArguments = (names: readonly string[]): readonly string[] => [
  'kill',
  '--signal',
  'KILL',
  ...names,
];

/**
 * Removes containers of a runner that is no more, or is about to be, at once; one that is not there is no error.
 * @param answerMs - milliseconds in which the engine answers a command
 * @throws Error at the first command that it does not answer, or when it cannot remove them
 */
export function removeLeftBehind(engine: Engine, names: readonly string[], answerMs = COMMAND_MS): void {
  const options = {
    env: engineEnvironment(),
    stdio: 'ignore',
    timeout: answerMs,
    // What hangs may not heed SIGTERM.
    killSignal: 'SIGKILL',
  } as const;
  // One by one: podman kills none where one of them is not made yet.
  for (const name of names) {
    // Fails for one that does not run any more, which is no error; without an answer there is none to `rm` either.
    const { error } = spawnSync(engine.path, killArguments([name]), options);
    if (error) throw error;
  }
  execFileSync(engine.path, removeArguments(engine, names), options);
}

/** The last line that says something: engines put the cause there. */
export const causeIn = (stderr: string): string =>
  stderr
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .at(-1)
    ?.replace(/^Error( response from daemon)?: /, '') ?? 'it said nothing';
