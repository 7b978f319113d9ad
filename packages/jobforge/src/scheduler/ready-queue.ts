import type { Demand } from '../model/placement.js';
import { createHeap } from './heap.js';
import type { LiveJob } from './live-job.js';

/** Jobs of one demand that wait for a runner. */
export interface ReadyLane {
  readonly demand: Demand;
  /** The next one: highest priority, then submitted first. */
  peek(): LiveJob | undefined;
  take(): LiveJob | undefined;
}

/** Every job that waits for a runner, in lanes of equal demand. */
export interface ReadyQueue {
  push(job: LiveJob): void;
  /** Says that a job in it is no longer `queued`. It is skipped when its turn comes. */
  remove(job: LiveJob): void;
  /** Lanes in which a job waits. */
  lanes(): Iterable<ReadyLane>;
  isWaiting(demand: Demand): boolean;
  readonly size: number;
}

/** Whether the left one goes first. */
export function goesFirst(left: LiveJob, right: LiveJob): boolean {
  return left.priority === right.priority ? left.seq < right.seq : left.priority > right.priority;
}

interface Lane extends ReadyLane {
  waiting: number;
  push(job: LiveJob): void;
}

function createLane(demand: Demand): Lane {
  // A heap, because a job that was put back belongs before those submitted after it.
  const heap = createHeap(goesFirst);
  const lane: Lane = {
    demand,
    waiting: 0,
    push(job) {
      lane.waiting += 1;
      heap.push(job);
    },
    peek() {
      while (heap.size > 0 && heap.peek()?.phase !== 'queued') heap.pop();
      return heap.peek();
    },
    take() {
      const job = lane.peek();
      if (job === undefined) return undefined;
      lane.waiting -= 1;
      return heap.pop();
    },
  };
  return lane;
}

const keyOf = ({ payloadType, jobType }: Demand): string => `${payloadType}\n${jobType}`;

/** What a job asks for. */
export function demandOf(job: Pick<LiveJob, 'capability' | 'type'>): Demand {
  return { payloadType: job.capability, jobType: job.type };
}

export function createReadyQueue(): ReadyQueue {
  const lanes = new Map<string, Lane>();
  let size = 0;
  const laneOf = (demand: Demand): Lane => {
    const key = keyOf(demand);
    let lane = lanes.get(key);
    if (lane === undefined) lanes.set(key, (lane = createLane(demand)));
    return lane;
  };

  return {
    push(job) {
      size += 1;
      laneOf(demandOf(job)).push(job);
    },
    remove(job) {
      size -= 1;
      laneOf(demandOf(job)).waiting -= 1;
    },
    *lanes() {
      for (const [key, lane] of lanes) {
        if (lane.waiting === 0) lanes.delete(key);
        else yield { demand: lane.demand, peek: lane.peek, take: () => takeFrom(lane) };
      }
    },
    isWaiting: (demand) => (lanes.get(keyOf(demand))?.waiting ?? 0) > 0,
    get size() {
      return size;
    },
  };

  function takeFrom(lane: Lane): LiveJob | undefined {
    const job = lane.take();
    if (job !== undefined) size -= 1;
    return job;
  }
}
