import type { Terms } from '../model/demand.js';
import { createBlockades } from './blockades.js';
import { createIndexedHeap } from './indexed-heap.js';
import type { RunnerEntry } from './live-job.js';
import { createPool, poolGoesFirst, poolKey, type Lane, type Pool } from './ready-lane.js';

/** The pools that have lanes, those from which something might be placed in the order of their next job. */
export interface LanePools {
  first(): Pool | undefined;
  find(terms: Terms, pin: RunnerEntry | undefined): Pool | undefined;
  /** The pool of these terms, made where it is not there. A pool goes with its last lane. */
  of(terms: Terms, pin: RunnerEntry | undefined): Pool;
  attach(lane: Lane, pool: Pool): void;
  detach(lane: Lane): void;
  /** Puts a lane where its next job belongs, in a pool that stays where it is: active or set aside. */
  arrange(lane: Lane): void;
  /** Takes a lane from its pool's sight, or gives it back. */
  hide(lane: Lane): void;
  show(lane: Lane): void;
  block(pool: Pool, blockers: readonly object[]): void;
  release(blocker: object | undefined): void;
}

export function createLanePools(): LanePools {
  const pools = new Map<string, Pool>();
  const active = createIndexedHeap<Pool>(poolGoesFirst);
  const blockades = createBlockades();

  const activate = (pool: Pool): void => {
    blockades.lift(pool);
    if (pool.lanes.size > 0) active.settle(pool);
  };
  const resettle = (pool: Pool): void => {
    if (pool.lanes.size === 0) active.remove(pool);
    else if (pool.place >= 0) active.settle(pool);
  };
  const arrange = (lane: Lane): void => {
    if (lane.held) return;
    lane.pool.lanes.settle(lane);
    resettle(lane.pool);
  };
  const hide = (lane: Lane): void => {
    lane.pool.lanes.remove(lane);
    resettle(lane.pool);
  };
  const show = (lane: Lane): void => {
    arrange(lane);
    if (!lane.held) activate(lane.pool);
  };

  return {
    first: () => active.peek(),
    find: ({ demand }, pin) => pools.get(poolKey(demand, pin)),
    of({ demand }, pin) {
      const key = poolKey(demand, pin);
      let pool = pools.get(key);
      if (pool === undefined) pools.set(key, (pool = createPool(key, demand, pin)));
      return pool;
    },
    attach(lane, pool) {
      lane.pool = pool;
      pool.members += 1;
      show(lane);
    },
    detach(lane) {
      const { pool } = lane;
      hide(lane);
      pool.members -= 1;
      if (pool.members > 0) return;
      blockades.lift(pool);
      pools.delete(pool.key);
    },
    arrange,
    hide,
    show,
    block(pool, blockers) {
      active.remove(pool);
      blockades.raise(pool, blockers);
    },
    release(blocker) {
      for (const pool of blocker === undefined ? pools.values() : blockades.of(blocker)) activate(pool);
    },
  };
}
