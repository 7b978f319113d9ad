import type { AccessOperations } from '../model/access-operations.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Operations } from '../model/operations.js';

const unknown = (code: 'TOKEN_NOT_FOUND' | 'RUNNER_NOT_FOUND', id: string): never => {
  throw new JobForgeError(code, { message: `There is nothing named "${id}".` });
};

/** Access for the tests of api/, where nobody is asked for a credential: it hands out nothing. */
export function accessInMemory(): AccessOperations & Pick<Operations, 'checkOwner'> {
  return {
    createToken: async () => {
      throw new JobForgeError('TOKEN_CONFLICT');
    },
    listTokens: async () => [],
    revokeToken: async (name) => unknown('TOKEN_NOT_FOUND', name),
    revokeRunner: async (id) => unknown('RUNNER_NOT_FOUND', id),
    rotateRunnerSecret: async (id) => unknown('RUNNER_NOT_FOUND', id),
    checkOwner: () => undefined,
  };
}
