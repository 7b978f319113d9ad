/**
 * @module
 * Commands as a newcomer types them, outside the repository: nothing of this checkout or of the package manager that
 * runs the tests is in their environment.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

// Where packages come from stays as it is on this machine: a proxy or a mirror has to keep working.
const KEPT = /^npm_config_(registry|proxy|https[-_]proxy|no[-_]?proxy|cafile|ca|strict[-_]ssl)$/i;
const LEAKED =
  /^(npm_|pnpm_|INIT_CWD$|NODE_ENV$|NODE_OPTIONS$|NODE_PATH$|VITEST|VITE_|TEST$|DEV$|PROD$|MODE$|BASE_URL$|SSR$)/i;

const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => KEPT.test(name) || !LEAKED.test(name)),
);
const running = new Set<ChildProcess>();

export interface CommandOptions {
  readonly cwd: string;
  readonly env?: Record<string, string>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  /** stdout and stderr as they came. */
  readonly output: string;
}

function start(command: string, args: readonly string[], options: CommandOptions): ChildProcess {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...environment, NO_COLOR: '1', ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what a command started ends with it.
    detached: true,
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  return child;
}

/** Runs a command to its end, whatever that is. */
export async function attempt(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const child = start(command, args, options);
  let stdout = '';
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => ((stdout += text), (output += text)));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, stdout, output };
}

/** Runs a command that has to succeed; otherwise its whole output is the failure. */
export async function succeed(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const result = await attempt(command, args, options);
  if (result.code === 0) return result;
  throw new Error(`${command} ${args.join(' ')} ended with ${result.code}:\n${result.output}`);
}

export interface RunningCommand {
  /** Everything that it has said so far. */
  readonly output: () => string;
  /** Resolves with the first line that matches; rejects with all that was said when it ends without. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Ctrl-C: SIGINT to the whole group. Resolves with the exit code. */
  readonly interrupt: () => Promise<number | null>;
}

/** Starts a command that goes on. */
export function launch(command: string, args: readonly string[], options: CommandOptions): RunningCommand {
  const child = start(command, args, options);
  const said: string[] = [];
  const listeners = new Set<(line: string) => void>();
  const exited = once(child, 'exit') as Promise<[number | null]>;
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface(stream).on('line', (line) => {
      said.push(line);
      for (const listener of listeners) listener(line);
    });
  }
  const line = (pattern: RegExp): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const look = (text: string): void => {
        const match = pattern.exec(text);
        if (match) resolve(match);
      };
      said.forEach(look);
      listeners.add(look);
      void exited.then(([code]) =>
        reject(
          new Error(
            `${command} ${args.join(' ')} ended with ${code} without ${pattern}:\n${said.join('\n')}`,
          ),
        ),
      );
    });
  const interrupt = async (): Promise<number | null> => {
    signalGroup(child, 'SIGINT');
    const [code] = await exited;
    return code;
  };
  return { output: () => said.join('\n'), line, interrupt };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  process.kill(-child.pid, signal);
}

/** Ends what a test left running, with everything that it started. */
export function endCommands(): void {
  for (const child of running) signalGroup(child, 'SIGKILL');
}
