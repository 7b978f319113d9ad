import { vacate } from '../scheduler/occupancy.js';
import { toRunnerMetadata } from '../scheduler/runner-entry.js';
import type { RecoveryParts } from '../scheduler/recovery.js';
import type { OtherReplica, ReplicaListener, ReplicaStore, SharedStore } from '../store/replica-store.js';
import { adoptJobs } from './adoption.js';
import { letGo } from './claims.js';
import { createRunnerHomes, type RunnerHomes } from './runner-homes.js';

/** This JobForge among the others: that it is there, who else is, and what becomes of one that is lost. */
export interface Membership {
  /** @throws Error before it has joined */
  store(): ReplicaStore;
  /** The others, as of the last beat. */
  others(): readonly OtherReplica[];
  /** Where the runners of the others are, as of the last beat. */
  readonly homes: Omit<RunnerHomes, 'update'>;
  join(): Promise<void>;
  leave(): Promise<void>;
  /** Says that this one is there. Where the others have given it up, it lets go of everything and joins anew. */
  beat(): Promise<void>;
  /** Takes over what others had that are lost. Resolves to whether there were any. */
  takeOverLost(): Promise<boolean>;
  /** A runner is on its way here, with jobs that may be older than all that are here. */
  readonly expecting: { count: number };
}

export interface MembershipParts {
  readonly shared: SharedStore;
  readonly recovery: RecoveryParts;
  readonly listener: ReplicaListener;
  /** Whether jobs may be this replica's that it does not know of. */
  readonly suspects: () => boolean;
  /** Told of each that was lost. */
  readonly onLost: (replica: number) => void;
}

/** Beats between two that tell of the runners, where these are the same. */
const RUNNERS_EVERY = 5;

/** Below this seq no job of this replica has not ended. */
function floorOf({ state }: RecoveryParts): number {
  let floor = state.lastInserted + 1;
  for (const { seq } of state.jobs.values()) if (seq < floor) floor = seq;
  return floor;
}

/** JSON of the runners that are here; undefined where the others need not hear of them again. */
function createNews({ registry }: RecoveryParts): () => string | undefined {
  let [beats, told] = [0, ''];
  return () => {
    const own = [...registry.entries()];
    const names = own.map(({ id, connected }) => `${id} ${String(connected)}`).join();
    beats += 1;
    if (names === told && beats % RUNNERS_EVERY !== 0) return undefined;
    told = names;
    return JSON.stringify(own.map(toRunnerMetadata));
  };
}

/** Forgets all jobs and runners: they are the others'. Nothing more is written of them. */
function letGoOfAll({ state, registry }: RecoveryParts): void {
  state.commit.discard();
  for (const execution of [...state.executions.values()]) {
    execution.phase = 'closed';
    vacate(state, execution);
  }
  state.executions.clear();
  state.past.clear();
  for (const job of [...state.jobs.values()]) letGo(state, job);
  for (const entry of [...registry.entries()]) registry.release(entry);
}

export function createMembership(parts: MembershipParts): Membership {
  const { shared, recovery, listener, suspects, onLost } = parts;
  const { log, limits } = recovery.state;
  const expecting = { count: 0 };
  let store: ReplicaStore | undefined;
  let others: readonly OtherReplica[] = [];
  let news = createNews(recovery);
  const homes = createRunnerHomes();
  const lookAround = async (): Promise<void> => {
    others = await current().others();
    homes.update(others);
  };

  const current = (): ReplicaStore => {
    if (store === undefined) throw new Error('This JobForge has not joined the others yet.');
    return store;
  };
  const membership: Membership = {
    store: current,
    others: () => others,
    homes,
    expecting,
    async join() {
      store = await shared.join();
      store.listen(listener);
      news = createNews(recovery);
      await lookAround();
    },
    leave: async () => store?.leave(),
    async beat() {
      const floor = expecting.count > 0 || suspects() ? undefined : floorOf(recovery);
      if (await current().beat({ floor, runners: news() })) {
        await lookAround();
        return;
      }
      log('error', 'the other replicas have given this one up: it lets go of everything and joins anew');
      letGoOfAll(recovery);
      await membership.join();
    },
    async takeOverLost() {
      const { replicaLostMs: lostMs } = limits;
      const lost = await current().lost({ lostMs, absentMs: Math.ceil(lostMs / 3) });
      for (const replica of lost) {
        const jobs = await current().takeOver(replica);
        onLost(replica);
        if (jobs.length > 0)
          log('warn', 'jobs of a replica that was lost are taken over', { jobs: jobs.length });
        await adoptJobs(recovery, jobs);
      }
      if (lost.length > 0) await lookAround();
      return lost.length > 0;
    },
  };
  return membership;
}
