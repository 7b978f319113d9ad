import type { RecoveryParts } from '../scheduler/recovery.js';
import type { RunnerEntry } from '../scheduler/live-job.js';
import type { RunnerHomes } from './runner-homes.js';

/**
 * Lets runners go that are known here and are with another replica: those that came with jobs that were taken over, or
 * were lost here, and of which that one has heard.
 */
export interface StaleRunners {
  look(): void;
}

/** A runner that is on its way here is told of by the other for a beat or two yet. */
const APART_MS = 5_000;

export interface StaleRunnerParts {
  readonly recovery: Pick<RecoveryParts, 'state' | 'registry'>;
  readonly homes: Pick<RunnerHomes, 'isThere'>;
}

export function createStaleRunners({ recovery: { state, registry }, homes }: StaleRunnerParts): StaleRunners {
  /** When each was first seen to be elsewhere, and as which entry: a runner that comes back is another. */
  let since = new Map<RunnerEntry, number>();
  const isStale = (entry: RunnerEntry): boolean => {
    const { unheard, lost } = entry.vitals;
    // What it ran as far as is known here is settled first.
    return (unheard || lost) && entry.active === 0 && homes.isThere(entry.id);
  };
  return {
    look() {
      const now = state.clock.now();
      const stale = [...registry.entries()].filter(isStale);
      since = new Map(stale.map((entry) => [entry, since.get(entry) ?? now]));
      for (const [entry, at] of since) {
        if (now - at < APART_MS) continue;
        since.delete(entry);
        registry.release(entry);
        state.log('info', 'a runner is with another replica', { runner: entry.id });
      }
    },
  };
}
