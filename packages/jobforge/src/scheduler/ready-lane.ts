import type { Demand, Terms } from '../model/demand.js';
import { goesFirst } from '../model/job-order.js';
import { createHeap, type Heap } from './heap.js';
import { createIndexedHeap, type IndexedHeap, type Placed } from './indexed-heap.js';
import type { LiveJob, RunnerEntry } from './live-job.js';

/** Waiting jobs of the same terms: what one of them waits for, all do. */
export interface Lane extends Placed {
  readonly terms: Terms;
  readonly jobs: Heap<LiveJob>;
  /** Jobs in it; those that were removed and not yet dropped do not count. */
  waiting: number;
  /** Its next job. */
  head: LiveJob;
  pool: Pool;
  /** Its concurrency key is taken: it is not among its pool's lanes until a job of the key ends. */
  held: boolean;
}

/** Lanes that the same runners serve: where one is told that none of them is free, all are. */
export interface Pool extends Placed {
  readonly demand: Demand;
  /** The runner that the affinity of its lanes keeps them on. */
  readonly pin: RunnerEntry | undefined;
  /** Those that are not held. */
  readonly lanes: IndexedHeap<Lane>;
  /** Lanes in all. */
  members: number;
  /** Whose change it waits for, while nothing can be placed from it. */
  blockers: readonly object[];
}

export function createLane(terms: Terms, first: LiveJob, pool: Pool): Lane {
  // A heap, because a job that was put back belongs before those submitted after it.
  const jobs = createHeap<LiveJob>(goesFirst);
  return { terms, jobs, waiting: 0, head: first, pool, held: false, place: -1 };
}

/** The next job of a lane, what was removed dropped. */
export function nextOf({ jobs }: Lane): LiveJob | undefined {
  while (jobs.size > 0 && jobs.peek()?.phase !== 'queued') jobs.pop();
  return jobs.peek();
}

export function createPool(demand: Demand, pin: RunnerEntry | undefined): Pool {
  const lanes = createIndexedHeap<Lane>((left, right) => goesFirst(left.head, right.head));
  return { demand, pin, lanes, members: 0, blockers: [], place: -1 };
}

/** Whether the next job of the left pool goes before that of the right one. Pools without a lane are not compared. */
export function poolGoesFirst(left: Pool, right: Pool): boolean {
  const [mine, theirs] = [left.lanes.peek(), right.lanes.peek()];
  return mine !== undefined && (theirs === undefined || goesFirst(mine.head, theirs.head));
}
