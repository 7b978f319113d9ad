import type { Identity } from '@controlplane/contracts';
import { actorOf, type Caller } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import type { Handlers } from './call.js';

/** Whose credential a caller has, as it is told itself. */
function identityOf(caller: Caller): Identity {
  if (caller.kind === 'anyone') return { kind: 'anyone' };
  const until = caller.expiresAt;
  const expiresAt = until === undefined ? {} : { expiresAt: new Date(until).toISOString() };
  if (caller.kind === 'enrollment') return { kind: 'enrollment', name: caller.token, ...expiresAt };
  if (caller.kind === 'runner') return { kind: 'runner', runnerId: caller.runnerId, ...expiresAt };
  const { name, role, capabilities, runners } = caller;
  return {
    ...{ kind: 'api', name, role },
    ...(capabilities && { capabilities: [...capabilities] }),
    ...(runners && { runners: [...runners] }),
    ...expiresAt,
  };
}

type AccessHandlers = Pick<
  Handlers,
  'whoAmI' | 'createToken' | 'listTokens' | 'revokeToken' | 'revokeRunner' | 'rotateRunnerSecret'
>;

/** What is asked about who may ask what. */
export function createAccessHandlers(operations: Operations): AccessHandlers {
  return {
    whoAmI: async ({ caller }) => ({ body: identityOf(caller) }),
    createToken: async ({ body, caller }) => ({ body: await operations.createToken(body, actorOf(caller)) }),
    listTokens: async () => ({ body: await operations.listTokens() }),
    revokeToken: async ({ id, caller }) => ({ body: await operations.revokeToken(id, actorOf(caller)) }),
    revokeRunner: async ({ id, caller }) => ({ body: await operations.revokeRunner(id, actorOf(caller)) }),
    rotateRunnerSecret: async ({ id, body, caller }) => ({
      body: await operations.rotateRunnerSecret(id, body, actorOf(caller)),
    }),
  };
}
