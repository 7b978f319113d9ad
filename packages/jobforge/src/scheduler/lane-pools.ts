import type { Demand, Terms } from '../model/demand.js';
import { createBlockades } from './blockades.js';
import { createIndexedHeap } from './indexed-heap.js';
import type { RunnerEntry } from './live-job.js';
import { createPool, poolGoesFirst, type Lane, type Pool } from './ready-lane.js';

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

/** Pools by what their lanes ask for and by the runner that these are kept on. */
function createPoolTable() {
  // By the runner itself, not by its id: another may come under that.
  const byPin = new Map<RunnerEntry | undefined, Map<string, Pool>>();
  return {
    get: ({ key }: Demand, pin: RunnerEntry | undefined) => byPin.get(pin)?.get(key),
    add(pool: Pool) {
      const pools = byPin.get(pool.pin);
      if (pools === undefined) byPin.set(pool.pin, new Map([[pool.demand.key, pool]]));
      else pools.set(pool.demand.key, pool);
    },
    remove({ demand, pin }: Pool) {
      const pools = byPin.get(pin);
      pools?.delete(demand.key);
      if (pools?.size === 0) byPin.delete(pin);
    },
    all: () => [...byPin.values()].flatMap((pools) => [...pools.values()]),
  };
}

export function createLanePools(): LanePools {
  const pools = createPoolTable();
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
    find: ({ demand }, pin) => pools.get(demand, pin),
    of({ demand }, pin) {
      const known = pools.get(demand, pin);
      if (known !== undefined) return known;
      const pool = createPool(demand, pin);
      pools.add(pool);
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
      pools.remove(pool);
    },
    arrange,
    hide,
    show,
    block(pool, blockers) {
      active.remove(pool);
      blockades.raise(pool, blockers);
    },
    release(blocker) {
      for (const pool of blocker === undefined ? pools.all() : blockades.of(blocker)) activate(pool);
    },
  };
}
