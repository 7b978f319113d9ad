import { runCommand, succeeded } from './run-command.js';
import type { CommandOptions } from './run-command.js';

/** `inside`: the folder belongs to a repository already, which is left alone. */
export type GitOutcome = 'created' | 'inside' | 'failed';

/** Starts a repository in `cwd`, unless one is there or above. Commits nothing. */
export async function startRepository(options: CommandOptions): Promise<GitOutcome> {
  if (succeeded(await runCommand('git', ['rev-parse', '--is-inside-work-tree'], options))) return 'inside';
  if (succeeded(await runCommand('git', ['init', '--quiet', '--initial-branch=main'], options)))
    return 'created';
  // git before 2.28 does not know --initial-branch.
  return succeeded(await runCommand('git', ['init', '--quiet'], options)) ? 'created' : 'failed';
}
