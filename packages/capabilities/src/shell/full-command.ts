import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CapabilityError } from '@controlplane/runner-sdk';
import { childEnvironment } from '../process/child-environment.js';
import { findProgram } from '../process/find-program.js';
import type { PreparedCommand } from './prepared-command.js';
import type { ShellInput } from './shell-input.js';

/** What commands of the profile `full` are given by the capability. */
export interface FullProfile {
  readonly cwd: string;
  /** The shell that runs lines. */
  readonly shell: string;
  /** Names of the runner's variables that are passed on. */
  readonly environment: readonly string[];
}

const notStarted = (message: string): CapabilityError =>
  new CapabilityError('COMMAND_NOT_STARTED', message, { retryable: false, category: 'RESOURCE_NOT_FOUND' });

async function folder(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) throw notStarted(`cwd ${JSON.stringify(path)} is no folder of this machine`);
  return path;
}

/**
 * Prepares a command of the profile `full`.
 * @param secrets - the values of this execution's secrets, which become variables
 * @throws CapabilityError `COMMAND_NOT_STARTED` when there is no such program or folder
 */
export async function prepareFull(
  input: ShellInput,
  profile: FullProfile,
  secrets: Readonly<Record<string, string>>,
): Promise<PreparedCommand> {
  const env = childEnvironment(profile.environment, { ...input.env, ...secrets });
  const cwd = await folder(resolve(profile.cwd, input.cwd ?? '.'));
  const [name = '', ...args] = input.argv ?? [profile.shell, '-c', input.command ?? ''];
  const file = await findProgram(name, { path: env['PATH'] ?? '', cwd });
  if (file === undefined)
    throw notStarted(
      `there is no program ${JSON.stringify(name)} on this machine (PATH ${env['PATH'] ?? 'is empty'})`,
    );
  return { argv: [file, ...args], cwd, env, extraFds: [], dispose: () => undefined };
}
