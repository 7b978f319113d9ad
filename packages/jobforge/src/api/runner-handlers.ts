import { actorOf } from '../model/caller.js';
import { capabilityOffers } from '../model/capability-offers.js';
import type { Operations } from '../model/operations.js';
import type { Handlers } from './call.js';
import { maySeeRunner } from './scope.js';

type RunnerHandlers = Pick<
  Handlers,
  | 'listCapabilities'
  | 'listRunners'
  | 'showRunner'
  | 'drainRunner'
  | 'disableRunner'
  | 'enableRunner'
  | 'verifyRunner'
  | 'deleteRunner'
>;

/** What people ask about runners. */
export function createRunnerHandlers(operations: Operations): RunnerHandlers {
  return {
    listCapabilities: async () => ({ body: capabilityOffers(await operations.listRunners()) }),
    listRunners: async ({ caller }) => ({
      body: (await operations.listRunners()).filter((runner) => maySeeRunner(caller, runner)),
    }),
    showRunner: async ({ id }) => ({ body: await operations.showRunner(id) }),
    drainRunner: async ({ id, body, caller }) => ({
      body: await operations.drainRunner(id, body, actorOf(caller)),
    }),
    disableRunner: async ({ id, body, caller }) => ({
      body: await operations.disableRunner(id, body, actorOf(caller)),
    }),
    enableRunner: async ({ id, caller }) => ({ body: await operations.enableRunner(id, actorOf(caller)) }),
    verifyRunner: async ({ id, caller }) => ({ body: await operations.verifyRunner(id, actorOf(caller)) }),
    deleteRunner: async ({ id, query, caller }) => ({
      body: await operations.deleteRunner(id, query, actorOf(caller)),
    }),
  };
}
