import { env } from 'node:process';
import { isOwnCredential } from '../../capability/isolation.js';

/** What a program needs to find its way, and nothing that anybody would keep secret. */
const HARMLESS = new Set([
  'PATH',
  'HOME',
  'USER',
  'LOGNAME',
  'SHELL',
  'LANG',
  'LANGUAGE',
  'TZ',
  'TERM',
  'TMPDIR',
  'TEMP',
  'TMP',
  'NODE_ENV',
  'NODE_EXTRA_CA_CERTS',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NO_COLOR',
  // A program may make its runner, which has to have a name, in the file that it is loaded from.
  'RUNNER_NAME',
  'SYSTEMROOT',
  'SYSTEMDRIVE',
  'WINDIR',
  'COMSPEC',
  'PATHEXT',
  'APPDATA',
  'LOCALAPPDATA',
  'PROGRAMDATA',
  'PROGRAMFILES',
]);

/**
 * The environment of a handler in a process of its own: harmless variables and those that its capability names.
 * @param named - names of variables; the runner's own credentials are left out even so
 * @param environment - default: this process's
 */
export function childEnvironment(
  named: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = env,
): Record<string, string> {
  const isGiven = (name: string): boolean =>
    HARMLESS.has(name.toUpperCase()) || name.startsWith('LC_') || named.includes(name);
  return Object.fromEntries(
    Object.entries(environment).filter(
      (entry): entry is [string, string] =>
        entry[1] !== undefined && isGiven(entry[0]) && !isOwnCredential(entry[0]),
    ),
  );
}
