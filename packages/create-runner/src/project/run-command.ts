import { spawn } from 'node:child_process';
import type { SpawnOptions } from 'node:child_process';

export interface CommandOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Gets what the command says on both streams. Default: it is dropped. */
  readonly heard?: (text: string) => void;
}

/** How a command ended: its exit code, or why it did not start. */
export type CommandEnd = { readonly code: number } | { readonly notStarted: string };

/** Runs a command to its end; never throws. */
export function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandEnd> {
  const spawnOptions: SpawnOptions = {
    cwd: options.cwd,
    env: options.env,
    stdio: options.heard ? ['ignore', 'pipe', 'pipe'] : 'ignore',
    // npm, pnpm and yarn are .cmd files there, which only a shell starts. All arguments are literals of ours.
    shell: process.platform === 'win32',
  };
  return new Promise((resolve) => {
    const child = spawn(command, args, spawnOptions);
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => options.heard?.(text));
    child.once('error', (error) => resolve({ notStarted: error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1 }));
  });
}

export function succeeded(end: CommandEnd): boolean {
  return 'code' in end && end.code === 0;
}
