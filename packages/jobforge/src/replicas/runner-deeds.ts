import type { RunnerHeartbeat } from '@controlplane/contracts';
import type { Caller } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { withHome } from './deeds.js';
import type { ReplicaDesk } from './replica-desk.js';

/** Whose a beat is: a runner that names itself otherwise is known by its secret. */
function whoseBeat(
  { recovery: { registry }, homes }: ReplicaDesk,
  { runnerId }: RunnerHeartbeat,
  caller: Caller | undefined,
): string {
  const isThere = registry.get(runnerId) !== undefined || homes.homeOf(runnerId) !== undefined;
  return isThere || caller?.kind !== 'runner' ? runnerId : caller.runnerId;
}

type RunnerDeeds = Pick<
  Operations,
  | 'listRunners'
  | 'showRunner'
  | 'drainRunner'
  | 'disableRunner'
  | 'enableRunner'
  | 'deleteRunner'
  | 'heartbeat'
  | 'deregisterRunner'
>;

/** What is asked about a runner, wherever that is. */
export function runnerDeeds(desk: ReplicaDesk): RunnerDeeds {
  const { operations } = desk;
  return {
    async listRunners() {
      const own = await operations.listRunners();
      const known = new Set(own.map(({ id }) => id));
      return [...own, ...desk.homes.runners().filter(({ id }) => !known.has(id))];
    },
    showRunner: (id) =>
      withHome(desk, id, { name: 'showRunner', args: [id], here: () => operations.showRunner(id) }),
    drainRunner: (id, request) =>
      withHome(desk, id, {
        name: 'drainRunner',
        args: [id, request],
        here: () => operations.drainRunner(id, request),
      }),
    disableRunner: (id, request) =>
      withHome(desk, id, {
        name: 'disableRunner',
        args: [id, request],
        here: () => operations.disableRunner(id, request),
      }),
    enableRunner: (id) =>
      withHome(desk, id, { name: 'enableRunner', args: [id], here: () => operations.enableRunner(id) }),
    deleteRunner: (id, query) =>
      withHome(desk, id, {
        name: 'deleteRunner',
        args: [id, query],
        here: () => operations.deleteRunner(id, query),
      }),
    heartbeat: (beat, caller) =>
      withHome(desk, whoseBeat(desk, beat, caller), {
        name: 'heartbeat',
        args: caller === undefined ? [beat] : [beat, caller],
        here: () => operations.heartbeat(beat, caller),
      }),
    deregisterRunner: (id, request) =>
      withHome(desk, id, {
        name: 'deregisterRunner',
        args: [id, request],
        here: () => operations.deregisterRunner(id, request),
      }),
  };
}
