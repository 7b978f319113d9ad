import { RunnerError } from '@controlplane/runner-sdk';
import { ownEnvironment } from './options.js';

/** What a program needs to find its way, and nothing that anybody would keep secret. */
const HARMLESS = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LANGUAGE', 'TZ', 'TERM', 'TMPDIR'];

/** What the runner proves itself with. */
const OWN_CREDENTIAL =
  /^(RUNNER|JOBFORGE|SWARMLET|LONGHOUSE|SWAMP|AUTOMN)_.*(TOKEN|SECRET|KEY|CREDENTIAL|PASSWORD)/i;

/** The name under which a process carries the execution that it belongs to, so that it is found wherever it goes. */
export const MARK_VARIABLE = 'CONTROLPLANE_EXECUTION';

/**
 * Checks the names of variables that an option passes on to programs.
 * @throws RunnerError `INVALID_OPTION` for a credential of the runner
 */
export function checkPassedOn(names: readonly string[]): void {
  const own = names.find((name) => OWN_CREDENTIAL.test(name));
  if (own === undefined) return;
  throw new RunnerError(
    'INVALID_OPTION',
    `environment: ${JSON.stringify(own)} is a credential of the runner, which no program is given; name variables of the program's own`,
  );
}

/** The environment of a program: harmless variables, those that are passed on by name, and those that it is given. */
export function childEnvironment(
  passedOn: readonly string[],
  given: Readonly<Record<string, string>>,
): Record<string, string> {
  const isPassedOn = (name: string): boolean =>
    HARMLESS.includes(name) || name.startsWith('LC_') || passedOn.includes(name);
  const inherited = Object.entries(ownEnvironment()).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && isPassedOn(entry[0]),
  );
  return { ...Object.fromEntries(inherited), ...given };
}
