import type { Clock } from '../model/clock.js';
import type { Log } from '../model/log.js';
import type { Store } from '../store/store.js';

/** Has the store forget jobs that ended long ago, a few at a time. */
export interface Pruner {
  start(): void;
  stop(): void;
}

export interface PrunerOptions {
  readonly store: Pick<Store, 'prune' | 'pruneLinks'>;
  /** Names of the append-only records. */
  readonly chains: readonly string[];
  /** Forgets what jobs have left beside the store; told whether some went. Default: nothing. */
  readonly sweep?: (someWent: boolean) => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
  /** False: no job and no record is forgotten, and what is beside the store is swept nevertheless. */
  readonly retention:
    | {
        readonly maxAgeMs: number;
        readonly maxJobs: number;
        readonly maxTrailAgeMs: number;
        readonly maxTrailLinks: number;
      }
    | false;
}

const ROUND_MS = 60_000;
/** Jobs in one transaction: few enough for others to be let in between. */
const BATCH = 200;

const breath = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

export function createPruner({ store, chains, sweep, clock, log, retention }: PrunerOptions): Pruner {
  let stopped = false;
  let cancelTimer: (() => void) | undefined;
  /** Takes a batch away again and again, until there is no full one left; how much went. */
  const inBatches = async (some: () => Promise<number>): Promise<number> => {
    let all = 0;
    for (let last = BATCH; last === BATCH && !stopped; all += last) {
      last = await some();
      await breath();
    }
    return all;
  };

  const sweepFiles = async (someWent: boolean): Promise<void> => {
    const folders = (await sweep?.(someWent)) ?? 0;
    if (folders > 0) log('debug', 'files of old jobs were forgotten', { jobs: folders });
  };

  const prune = async (keep: Exclude<typeof retention, false>): Promise<void> => {
    const query = { endedBefore: clock.now() - keep.maxAgeMs, keepJobs: keep.maxJobs, limit: BATCH };
    const jobs = await inBatches(() => store.prune(query));
    if (jobs > 0) log('debug', 'old jobs were forgotten', { jobs });
    await sweepFiles(jobs > 0);
    const before = clock.now() - keep.maxTrailAgeMs;
    for (const chain of chains) {
      const links = await inBatches(() =>
        store.pruneLinks({ chain, before, keep: keep.maxTrailLinks, limit: BATCH }),
      );
      if (links > 0) log('debug', 'old entries of a record were forgotten', { chain, links });
    }
  };

  const round = (): void => {
    if (stopped) return;
    (retention === false ? sweepFiles(false) : prune(retention))
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
