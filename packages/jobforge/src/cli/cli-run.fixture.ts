import { runCli } from './program.js';
import type { CliContext } from './cli-context.js';
import type { ExitCode } from './exit-code.js';
import { openLocalFile } from './local-file.js';
import { machineFacts } from './machine-facts.js';

export interface CliRun {
  readonly code: ExitCode;
  readonly out: readonly string[];
  readonly err: readonly string[];
}

/** Runs a command line in this process, against the JobForge at `url`. */
export async function runJobforge(
  url: string,
  argv: readonly string[],
  overrides: Partial<CliContext> = {},
): Promise<CliRun> {
  const out: string[] = [];
  const err: string[] = [];
  const context: CliContext = {
    terminal: {
      out: (line) => out.push(line),
      err: (line) => err.push(line),
      columns: undefined,
      colour: false,
    },
    env: { JOBFORGE_URL: url },
    fetch: globalThis.fetch,
    readFile: async () => Promise.reject(new Error('no such file')),
    openFile: openLocalFile,
    saveFile: async () => Promise.reject(new Error('nothing is written in this test')),
    readStdin: async () => '',
    now: Date.now,
    version: '0.0.0',
    machine: machineFacts,
    startForge: async () => Promise.reject(new Error('not started in this test')),
    onSignal: () => () => undefined,
    ...overrides,
  };
  const code = await runCli(argv, context);
  return { code, out, err };
}
