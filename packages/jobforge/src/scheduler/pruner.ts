import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { Store } from '../store/store.js';

/** Has the store forget jobs that ended long ago, a few at a time. */
export interface Pruner {
  start(): void;
  stop(): void;
}

export interface PrunerOptions {
  readonly store: Pick<Store, 'prune'>;
  readonly clock: Clock;
  readonly log: Log;
  /** False: nothing is forgotten. */
  readonly retention: { readonly maxAgeMs: number; readonly maxJobs: number } | false;
}

const ROUND_MS = 60_000;
/** Jobs in one transaction: few enough for others to be let in between. */
const BATCH = 200;

const breath = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export function createPruner({ store, clock, log, retention }: PrunerOptions): Pruner {
  let stopped = retention === false;
  let cancelTimer: (() => void) | undefined;

  const prune = async (keep: Exclude<typeof retention, false>): Promise<void> => {
    const query = { endedBefore: clock.now() - keep.maxAgeMs, keepJobs: keep.maxJobs, limit: BATCH };
    let all = 0;
    for (let some = BATCH; some === BATCH && !stopped; all += some) {
      some = await store.prune(query);
      await breath();
    }
    if (all > 0) log('debug', 'old jobs were forgotten', { jobs: all });
  };

  const round = (): void => {
    if (stopped || retention === false) return;
    prune(retention)
      .catch((error: unknown) => log('error', 'old jobs could not be forgotten', { problem: String(error) }))
      .finally(() => {
        if (!stopped) cancelTimer = clock.after(ROUND_MS, round);
      })
      .catch(() => undefined);
  };

  return {
    start: round,
    stop() {
      stopped = true;
      cancelTimer?.();
    },
  };
}
