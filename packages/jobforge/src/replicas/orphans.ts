import type { RecoveryParts } from '../scheduler/recovery.js';
import type { ReplicaStore } from '../store/replica-store.js';
import { adoptJobs } from './adoption.js';

/**
 * Finds jobs that belong to this replica without its knowledge: their commit, or the word that they were handed over,
 * was lost on the way back.
 */
export interface OrphanSearch {
  /** Says that there may be some. */
  suspect(): void;
  /** Whether there may be some: what the others are told of this replica's jobs must not leave them out. */
  suspects(): boolean;
  look(): Promise<void>;
}

/** What is seen twice, this long apart, is not merely on its way. */
const APART_MS = 5_000;
/** A commit that the store has not answered is given up by then. */
const SUSPECTED_MS = 60_000;

export interface OrphanParts {
  readonly recovery: RecoveryParts;
  readonly store: () => ReplicaStore;
}

export function createOrphanSearch({ recovery, store }: OrphanParts): OrphanSearch {
  const { state } = recovery;
  let suspectedUntil = 0;
  let seen = new Set<string>();
  let seenAt = 0;

  const suspect = (): void => {
    suspectedUntil = state.clock.now() + SUSPECTED_MS;
  };
  const suspects = (): boolean => state.clock.now() <= suspectedUntil;
  state.commit.onFlush(() => {
    if (state.commit.failure() !== undefined) suspect();
  });

  return {
    suspect,
    suspects,
    async look() {
      const now = state.clock.now();
      if (!suspects() || now - seenAt < APART_MS) return;
      const unknown = (await store().ownJobs()).filter(({ id }) => !state.jobs.has(id));
      const orphans = unknown.filter(({ id }) => seen.has(id));
      seen = new Set(unknown.map(({ id }) => id));
      seenAt = now;
      if (orphans.length === 0) return;
      state.log('info', 'jobs were found that belong to this replica', { jobs: orphans.length });
      await adoptJobs(recovery, orphans);
    },
  };
}
