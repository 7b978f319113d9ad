import { runCommand, succeeded } from './run-command.js';
import type { CommandOptions } from './run-command.js';

const ADDRESS = /^https?:\/\/\S+$/m;

/** The address in what npm says, without the slashes at its end; undefined where it is none for a file that is shared. */
export function addressIn(said: string): string | undefined {
  const address = ADDRESS.exec(said)?.[0];
  if (address === undefined || !URL.canParse(address)) return undefined;
  const { username, password } = new URL(address);
  return username === '' && password === '' ? address.replace(/\/+$/, '') : undefined;
}

/**
 * The registry that npm is configured for; undefined where npm does not say. Settings of a project around are left out
 * (`--global`): the new project has a folder of its own, and does not read them.
 */
export async function npmRegistry(options: Pick<CommandOptions, 'cwd' | 'env'>): Promise<string | undefined> {
  let said = '';
  const end = await runCommand('npm', ['config', 'get', 'registry', '--global'], {
    ...options,
    heard: (text) => (said += text),
  });
  return succeeded(end) ? addressIn(said) : undefined;
}
