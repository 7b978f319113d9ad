import type { Pool } from './ready-lane.js';

/** Which pools wait for whose change. */
export interface Blockades {
  /** Takes the place of what the pool waited for before. */
  raise(pool: Pool, blockers: readonly object[]): void;
  lift(pool: Pool): void;
  /** The pools that wait for this. */
  of(blocker: object): readonly Pool[];
}

export function createBlockades(): Blockades {
  const waiting = new Map<object, Set<Pool>>();
  const lift = (pool: Pool): void => {
    for (const blocker of pool.blockers) {
      const pools = waiting.get(blocker);
      pools?.delete(pool);
      if (pools?.size === 0) waiting.delete(blocker);
    }
    pool.blockers = [];
  };
  return {
    raise(pool, blockers) {
      lift(pool);
      pool.blockers = blockers;
      for (const blocker of blockers) {
        const pools = waiting.get(blocker);
        if (pools === undefined) waiting.set(blocker, new Set([pool]));
        else pools.add(pool);
      }
    },
    lift,
    of: (blocker) => [...(waiting.get(blocker) ?? [])],
  };
}
