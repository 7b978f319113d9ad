import type { Terms } from '../model/demand.js';
import { goesFirst } from '../model/job-order.js';
import { createHeldLanes, type HeldLanes } from './held-lanes.js';
import { createLanePools, type LanePools } from './lane-pools.js';
import type { LiveJob, RunnerEntry } from './live-job.js';
import { createLane, nextOf, type Lane, type Pool } from './ready-lane.js';

/**
 * Every job that waits for a runner, in lanes of equal terms, in pools that the same runners serve. A pool from which
 * nothing can be placed is set aside until one of its blockers changes, a lane whose concurrency key is taken until that
 * is free: looking for work costs by what can run, not by what waits.
 */
export interface ReadyQueue {
  push(job: LiveJob): void;
  /** Says that a job in it is no longer `queued`. */
  remove(job: LiveJob): void;
  /** The pool with the first job of all that are not set aside. */
  first(): Pool | undefined;
  take(lane: Lane): LiveJob | undefined;
  /** Moves a lane to the pool of another runner, or of none in particular. */
  move(lane: Lane, pin: RunnerEntry | undefined): void;
  /** Sets a lane aside until its concurrency key is free. */
  hold(lane: Lane): void;
  /** Looks at the lanes of a concurrency key again. */
  unhold(key: string): void;
  /** Sets a pool aside until one of these changes. */
  block(pool: Pool, blockers: readonly object[]): void;
  /** Looks at the pools again that wait for this to change; at all of them by default. */
  release(blocker?: object): void;
  /** Whether a job of these terms would have to wait for another's turn. */
  isWaiting(terms: Terms, pin: RunnerEntry | undefined): boolean;
  /** Jobs before this one to the same runners. */
  ahead(job: LiveJob): number;
  readonly size: number;
}

/** What the operations of a queue share. */
interface Parts {
  readonly lanes: Map<string, Lane>;
  readonly pools: LanePools;
  readonly held: HeldLanes;
}

/** Says who is next in a lane now; a lane without a job is forgotten. */
function advance({ lanes, pools, held }: Parts, lane: Lane): void {
  const head = nextOf(lane);
  if (head === undefined || lane.waiting === 0) {
    lanes.delete(lane.terms.key);
    held.remove(lane);
    return pools.detach(lane);
  }
  lane.head = head;
  pools.arrange(lane);
}

function push({ lanes, pools }: Parts, job: LiveJob): void {
  const { terms } = job;
  const known = lanes.get(terms.key);
  const lane = known ?? createLane(terms, job, pools.of(terms, undefined));
  lane.jobs.push(job);
  lane.waiting += 1;
  if (known === undefined) {
    lanes.set(terms.key, lane);
    pools.attach(lane, lane.pool);
  } else if (goesFirst(job, lane.head)) {
    lane.head = job;
    pools.arrange(lane);
  }
}

function remove(parts: Parts, job: LiveJob): void {
  const lane = parts.lanes.get(job.terms.key);
  if (lane === undefined) return;
  lane.waiting -= 1;
  // Elsewhere in its lane it is dropped when its turn comes.
  if (lane.jobs.peek() === job) lane.jobs.pop();
  if (lane.waiting === 0 || lane.head === job) advance(parts, lane);
}

function take(parts: Parts, lane: Lane): LiveJob | undefined {
  const job = nextOf(lane);
  if (job !== undefined) {
    lane.jobs.pop();
    lane.waiting -= 1;
  }
  advance(parts, lane);
  return job;
}

function countAhead({ lanes }: Parts, job: LiveJob): number {
  const { pool } = lanes.get(job.terms.key) ?? {};
  let count = 0;
  for (const lane of pool?.lanes.items() ?? [])
    for (const other of lane.jobs.items()) if (other.phase === 'queued' && goesFirst(other, job)) count += 1;
  return count;
}

export function createReadyQueue(): ReadyQueue {
  const parts: Parts = { lanes: new Map(), pools: createLanePools(), held: createHeldLanes() };
  const { lanes, pools, held } = parts;
  let size = 0;
  return {
    push(job) {
      size += 1;
      push(parts, job);
    },
    remove(job) {
      size -= 1;
      remove(parts, job);
    },
    first: pools.first,
    take(lane) {
      const job = take(parts, lane);
      if (job !== undefined) size -= 1;
      return job;
    },
    move(lane, pin) {
      pools.detach(lane);
      pools.attach(lane, pools.of(lane.terms, pin));
    },
    hold(lane) {
      held.add(lane);
      pools.hide(lane);
    },
    unhold: (key) => held.release(key).forEach(pools.show),
    block: pools.block,
    release: pools.release,
    isWaiting(terms, pin) {
      if (size === 0) return false;
      return lanes.has(terms.key) || (pools.find(terms, pin)?.lanes.size ?? 0) > 0;
    },
    ahead: (job) => countAhead(parts, job),
    get size() {
      return size;
    },
  };
}
