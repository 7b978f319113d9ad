import { hostname } from 'node:os';
import { Identifier } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import { readMachineId } from '../util/machine-id.js';
import { sayThrown } from '../util/safe-json.js';

/**
 * The identity of this machine for a runner that dials in: the one kept in its state directory, made there when
 * there is none; without a directory the name of the host.
 * @throws RunnerError `INVALID_OPTION` when the directory cannot be used
 */
export function machineIdOf(directory: string | undefined): string {
  if (directory === undefined)
    return (
      hostname()
        .replaceAll(/[^A-Za-z0-9._:-]/g, '-')
        .slice(0, 128) || 'localhost'
    );
  try {
    return readMachineId(directory, (text) => Identifier.safeParse(text).success);
  } catch (error) {
    throw new RunnerError(
      'INVALID_OPTION',
      `the state directory "${directory}" cannot be used: ${sayThrown(error)}. Set option "stateDirectory" or environment variable RUNNER_STATE_DIR to a folder that this user may write.`,
      { cause: error },
    );
  }
}
