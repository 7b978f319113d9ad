import type { RunnerManifest } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';

/** Which capability runs the command lines of a host that sends nothing else. */
export interface CommandLineOptions {
  /** Id of the capability. Default: `shell.full` where the runner has it, else `shell.readonly`. */
  readonly capability?: string | undefined;
  /** What the capability is given. Default: what `shell` of `@controlplane/capabilities` takes. */
  readonly payload?: ((command: string) => Record<string, unknown>) | undefined;
}

/** Makes executions of command lines. */
export interface CommandLine {
  readonly capabilityId: string;
  /** Whether it runs programs that only look, and no lines for a shell. */
  readonly isReadonly: boolean;
  /** Whether its output is a program's: then what the capability says of itself is none. */
  readonly isShell: boolean;
  /** @throws RunnerError `INVALID_OPTION` for a line that such a capability cannot be given */
  payload(command: string): Record<string, unknown>;
}

const FULL = 'shell.full';
const READONLY = 'shell.readonly';

/** The host has a word for every way that a command can end: none of them is a failure to run it. */
const exitCodes = Array.from({ length: 256 }, (_, code) => code);

/** What a shell would act upon; without one there is nobody to do so. */
const FOR_A_SHELL = /[;|&><$()`\\\n\r]/;
/** What it would act upon outside of quotation marks: patterns of file names, and a home at the begin of a word. */
const PATTERN = /[*?[]/;
const HOME = /^~/;
const WORD = /"([^"]*)"|'([^']*)'|([^\s"']+)/g;

function checkSpecial(found: RegExpExecArray | null): void {
  if (found)
    throw new RunnerError(
      'INVALID_OPTION',
      `the command has ${JSON.stringify(found[0])}, which only a shell understands; this runner starts programs without one`,
    );
}

/** The words of a line as a shell without variables, pipes and substitutions would read them. */
export function splitCommand(command: string): string[] {
  checkSpecial(FOR_A_SHELL.exec(command));
  const words: string[] = [];
  let end = 0;
  for (const match of command.matchAll(WORD)) {
    const word = match[1] ?? match[2] ?? match[3] ?? '';
    // What touches the piece before belongs to the same word: --format="a b".
    const isContinued = match.index === end && words.length > 0;
    const bare = match[3] ?? '';
    checkSpecial(PATTERN.exec(bare) ?? (isContinued ? null : HOME.exec(bare)));
    if (isContinued) words.push(`${words.pop() ?? ''}${word}`);
    else words.push(word);
    end = match.index + match[0].length;
  }
  if (/["']/.test(command.replaceAll(WORD, '')))
    throw new RunnerError('INVALID_OPTION', 'the command has a quotation mark without its partner');
  return words;
}

/**
 * Settles which capability of a runner runs the command lines of a host.
 * @throws RunnerError `INVALID_OPTION` where the runner has none
 */
export function commandLineOf(
  manifest: RunnerManifest,
  host: string,
  { capability, payload }: CommandLineOptions,
): CommandLine {
  const ids = manifest.capabilities.map(({ id }) => id);
  const wanted = capability === undefined ? [FULL, READONLY] : [capability];
  const capabilityId = wanted.find((id) => ids.includes(id));
  if (capabilityId === undefined)
    throw new RunnerError(
      'INVALID_OPTION',
      `host "${host}" sends command lines, and this runner has no capability ${wanted.join(' or ')}: add shell() of @controlplane/capabilities/shell, or name another by the host's option "capability"`,
    );
  const isReadonly = capabilityId === READONLY && payload === undefined;
  const standard = (command: string): Record<string, unknown> =>
    isReadonly ? { argv: splitCommand(command), exitCodes } : { command, exitCodes };
  return { capabilityId, isReadonly, isShell: payload === undefined, payload: payload ?? standard };
}
