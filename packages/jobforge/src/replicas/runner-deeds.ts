import type { RunnerHeartbeat } from '@controlplane/contracts';
import { LIBRARY, type Caller } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { isElsewhere, withHome } from './deeds.js';
import type { ReplicaDesk } from './replica-desk.js';

/** A runner may take its time to show what it does. */
const VERIFIED_MS = 30_000;

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
  | 'verifyRunner'
  | 'heartbeat'
  | 'deregisterRunner'
>;

/** What is asked about a runner, wherever that is. */
export function runnerDeeds(desk: ReplicaDesk): RunnerDeeds {
  const { operations } = desk;
  return {
    async listRunners() {
      const own = (await operations.listRunners()).filter(({ id }) => !isElsewhere(desk, id));
      const known = new Set(own.map(({ id }) => id));
      return [...own, ...desk.homes.runners().filter(({ id }) => !known.has(id))];
    },
    showRunner: (id) =>
      withHome(desk, id, { name: 'showRunner', args: [id], here: () => operations.showRunner(id) }),
    drainRunner: (id, request, actor = LIBRARY) =>
      withHome(desk, id, {
        name: 'drainRunner',
        args: [id, request, actor],
        here: () => operations.drainRunner(id, request, actor),
      }),
    disableRunner: (id, request, actor = LIBRARY) =>
      withHome(desk, id, {
        name: 'disableRunner',
        args: [id, request, actor],
        here: () => operations.disableRunner(id, request, actor),
      }),
    enableRunner: (id, actor = LIBRARY) =>
      withHome(desk, id, {
        name: 'enableRunner',
        args: [id, actor],
        here: () => operations.enableRunner(id, actor),
      }),
    verifyRunner: (id, actor = LIBRARY) =>
      withHome(desk, id, {
        name: 'verifyRunner',
        args: [id, actor],
        answerMs: VERIFIED_MS,
        here: () => operations.verifyRunner(id, actor),
      }),
    deleteRunner: (id, query, actor = LIBRARY) =>
      withHome(desk, id, {
        name: 'deleteRunner',
        args: [id, query, actor],
        here: () => operations.deleteRunner(id, query, actor),
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
