import { closeSync } from 'node:fs';
import { CapabilityError } from '@controlplane/runner-sdk';
import { findProgram } from '../process/find-program.js';
import type { AllowedFolders } from './allowed-folders.js';
import type { PreparedCommand } from './prepared-command.js';
import { READONLY_PROGRAMS, readArguments, type ReadonlyArgument } from './readonly-programs.js';
import type { ShellInput } from './shell-input.js';

/** Where the programs of the system are: not what a job or the runner's PATH may name. */
const SYSTEM_PATH = '/usr/bin:/bin:/usr/sbin:/sbin';

const notAllowed = (what: string): CapabilityError =>
  new CapabilityError('COMMAND_NOT_ALLOWED', `${what} is not allowed by the profile "readonly"`, {
    retryable: false,
    category: 'AUTHORIZATION_ERROR',
    remedy: `Use one of ${Object.keys(READONLY_PROGRAMS).join(', ')}, or a runner with the profile "full".`,
  });

function understood(input: ShellInput): {
  readonly name: string;
  readonly args: readonly ReadonlyArgument[];
} {
  if (input.command !== undefined) throw notAllowed('a line for the shell');
  if (Object.keys(input.env ?? {}).length > 0) throw notAllowed('env');
  const [name = '', ...given] = input.argv ?? [];
  const program = Object.hasOwn(READONLY_PROGRAMS, name) ? READONLY_PROGRAMS[name] : undefined;
  if (!program) throw notAllowed(JSON.stringify(name));
  const args = readArguments(program, given);
  if ('refused' in args) throw notAllowed(`${name} ${JSON.stringify(args.refused)}`);
  return { name, args };
}

/**
 * Prepares a command of the profile `readonly`: its files are opened here, and the program is handed what was opened.
 * @throws CapabilityError `COMMAND_NOT_ALLOWED`, `PATH_NOT_ALLOWED`, `FILE_NOT_READ`
 */
export async function prepareReadonly(input: ShellInput, allowed: AllowedFolders): Promise<PreparedCommand> {
  const { name, args } = understood(input);
  const file = await findProgram(name, { path: SYSTEM_PATH, cwd: '/' });
  if (file === undefined)
    throw new CapabilityError('COMMAND_NOT_STARTED', `this machine has no ${name} in ${SYSTEM_PATH}`, {
      retryable: false,
    });
  const start = allowed.folders[0];
  const cwd = input.cwd !== undefined ? allowed.enter(input.cwd) : (start ?? '/');
  const fds: number[] = [];
  const dispose = (): void => fds.splice(0).forEach((fd) => closeSync(fd));
  const handOver = ({ kind, text }: ReadonlyArgument): string => {
    if (kind === 'word') return text;
    fds.push(allowed.open(text, { cwd, kind }));
    // Three are taken: input, output, errors.
    return `/dev/fd/${fds.length + 2}`;
  };
  try {
    const words = args.map(handOver);
    // `ls` without an operand lists the folder that it runs in.
    if (name === 'ls' && fds.length === 0) words.push(handOver({ kind: 'folder', text: cwd }));
    if (name === 'ls') words.unshift('-H');
    const env = { PATH: SYSTEM_PATH, LANG: 'C.UTF-8' };
    return { argv: [file, ...words], cwd, env, extraFds: [...fds], dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}
