import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { goesFirst } from '../model/job-order.js';
import type { LiveJob, RunnerEntry } from './live-job.js';
import { createReadyQueue, type ReadyQueue } from './ready-queue.js';
import { waitingJob } from './waiting-job.fixture.js';

function takeNext(queue: ReadyQueue): LiveJob | undefined {
  const lane = queue.first()?.lanes.peek();
  const job = lane && queue.take(lane);
  if (job !== undefined) job.phase = 'leased';
  return job;
}

describe('the ready queue', () => {
  it('gives jobs of all lanes in the order of their turn', () => {
    const queue = createReadyQueue();
    queue.push(waitingJob(1, { type: 'a', priority: 10 }));
    queue.push(waitingJob(2, { type: 'b', priority: 90 }));
    queue.push(waitingJob(3, { type: 'a', priority: 90, placement: { affinity: 'k' } }));
    queue.push(waitingJob(4, { type: 'a', priority: 50 }));
    expect([1, 2, 3, 4].map(() => takeNext(queue)?.seq)).toEqual([2, 3, 4, 1]);
    expect(queue.size).toBe(0);
    expect(queue.first()).toBeUndefined();
  });

  it('lets a job that waits long enough go before what is more urgent', () => {
    const queue = createReadyQueue();
    queue.push(waitingJob(1, { priority: 0, since: 0 }));
    queue.push(waitingJob(2, { priority: 100, since: 999_999 }));
    queue.push(waitingJob(3, { priority: 100, since: 1_000_001 }));
    expect([1, 2, 3].map(() => takeNext(queue)?.seq)).toEqual([2, 1, 3]);
  });

  it('sets a pool aside until a blocker of it changes, or is asked for everything', () => {
    const queue = createReadyQueue();
    const [one, two] = [{}, {}];
    queue.push(waitingJob(1));
    for (const release of [() => queue.release(one), () => queue.release()]) {
      const pool = queue.first();
      if (pool !== undefined) queue.block(pool, [one]);
      queue.push(waitingJob(queue.size + 1));
      queue.release(two);
      expect(queue.first()).toBeUndefined();
      release();
      expect(queue.first()).toBe(pool);
    }
  });

  it('sets a lane aside while its concurrency key is taken, and not the others of its pool', () => {
    const queue = createReadyQueue();
    const concurrency = { key: 'k', limit: 1, onConflict: 'queue' } as const;
    queue.push(waitingJob(1, { concurrency }));
    queue.push(waitingJob(2));
    const lane = queue.first()?.lanes.peek();
    if (lane !== undefined) queue.hold(lane);
    expect(takeNext(queue)?.seq).toBe(2);
    expect(takeNext(queue)).toBeUndefined();
    expect(queue.isWaiting(waitingJob(9, { concurrency }).terms, undefined)).toBe(true);
    expect(queue.isWaiting(waitingJob(9).terms, undefined)).toBe(false);
    queue.unhold('k');
    expect(takeNext(queue)?.seq).toBe(1);
  });

  it('keeps lanes of one runner apart from those of another that has come under its id', () => {
    const queue = createReadyQueue();
    const [left, came] = [{ id: 'r1' } as RunnerEntry, { id: 'r1' } as RunnerEntry];
    for (const [seq, affinity] of [
      [1, 'k1'],
      [2, 'k2'],
    ] as const) {
      queue.push(waitingJob(seq, { placement: { affinity } }));
      const lane = queue.first()?.lanes.peek();
      if (lane === undefined) throw new Error('nothing waits');
      queue.move(lane, left);
      queue.block(lane.pool, [left]);
    }
    queue.release(left);
    const lane = queue.first()?.lanes.peek();
    if (lane === undefined) throw new Error('nothing waits');
    queue.move(lane, came);
    expect(lane.pool.pin).toBe(came);
    expect([takeNext(queue)?.seq, takeNext(queue)?.seq]).toEqual([1, 2]);
  });

  it('counts the jobs that go before one to the same runners', () => {
    const queue = createReadyQueue();
    const last = waitingJob(4, { placement: { affinity: 'k' } });
    const gone = waitingJob(2);
    for (const job of [waitingJob(1), gone, waitingJob(3, { type: 'other' }), last, waitingJob(5)])
      queue.push(job);
    queue.remove(gone);
    gone.phase = 'ending';
    expect(queue.ahead(last)).toBe(1);
  });
});

type Step =
  | { readonly kind: 'push'; readonly lane: number; readonly priority: number }
  | { readonly kind: 'remove'; readonly pick: number }
  | { readonly kind: 'take' | 'block' | 'hold' | 'release' };

const KEYS = ['x', 'y'] as const;
/** Eight lanes in two pools; half of them with a concurrency key. */
const LANES = Array.from({ length: 8 }, (_, at) => ({
  type: at % 2 === 0 ? 'a' : 'b',
  ...(at % 4 < 2 ? {} : { placement: { affinity: `k${at}` } }),
  ...(at < 4 ? {} : { concurrency: { key: KEYS[at % 2] ?? 'x', limit: 1, onConflict: 'queue' as const } }),
}));

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('push' as const),
      lane: fc.nat(LANES.length - 1),
      priority: fc.integer({ min: 0, max: 3 }),
    }),
  },
  { weight: 3, arbitrary: fc.constantFrom<Step>({ kind: 'take' }, { kind: 'block' }, { kind: 'hold' }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.constant<Step>({ kind: 'release' }) },
);

/** A plain list that knows what is set aside, beside the queue that is to do the same. */
interface Pair {
  readonly queue: ReadyQueue;
  jobs: LiveJob[];
  readonly blocked: Set<string>;
  readonly held: Set<string>;
  readonly blocker: object;
  seq: number;
}

function nextOf({ jobs, blocked, held }: Pair): LiveJob | undefined {
  return jobs
    .filter(({ type, terms }) => !blocked.has(type) && !held.has(terms.key))
    .toSorted((left, right) => (goesFirst(left, right) ? -1 : 1))[0];
}

const hasLane = ({ jobs }: Pair, key: string): boolean => jobs.some(({ terms }) => terms.key === key);

function drop(pair: Pair, job: LiveJob, phase: 'leased' | 'ending'): void {
  job.phase = phase;
  pair.jobs = pair.jobs.filter((other) => other !== job);
}

const ACTIONS: {
  readonly [Kind in Step['kind']]: (pair: Pair, step: Extract<Step, { kind: Kind }>) => void;
} = {
  push(pair, { lane, priority }) {
    const job = waitingJob((pair.seq += 1), { ...LANES[lane], priority });
    // A lane that comes to be makes its pool worth another look.
    if (!hasLane(pair, job.terms.key)) pair.blocked.delete(job.type);
    pair.queue.push(job);
    pair.jobs.push(job);
  },
  take(pair) {
    const lane = pair.queue.first()?.lanes.peek();
    const job = lane && pair.queue.take(lane);
    expect(job).toBe(nextOf(pair));
    if (job !== undefined) drop(pair, job, 'leased');
  },
  block({ queue, blocked, blocker }) {
    const pool = queue.first();
    if (pool === undefined) return;
    queue.block(pool, [blocker]);
    blocked.add(pool.demand.payloadType);
  },
  hold({ queue, held }) {
    const lane = queue.first()?.lanes.peek();
    if (lane?.terms.concurrency === undefined) return;
    queue.hold(lane);
    held.add(lane.terms.key);
  },
  remove(pair, { pick }) {
    const job = pair.jobs[pick % Math.max(1, pair.jobs.length)];
    if (job === undefined) return;
    pair.queue.remove(job);
    drop(pair, job, 'ending');
    if (!hasLane(pair, job.terms.key)) pair.held.delete(job.terms.key);
  },
  release({ queue, blocked, held, blocker }) {
    queue.release(blocker);
    for (const key of KEYS) queue.unhold(key);
    blocked.clear();
    held.clear();
  },
};

it('is the same as a sorted list, whatever happens to it', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const pair: Pair = {
        ...{ queue: createReadyQueue(), jobs: [], blocked: new Set(), held: new Set(), blocker: {}, seq: 0 },
      };
      for (const action of steps) {
        (ACTIONS[action.kind] as (pair: Pair, step: Step) => void)(pair, action);
        if (pair.jobs.length === 0) pair.blocked.clear();
        expect(pair.queue.size).toBe(pair.jobs.length);
        expect(pair.queue.first()?.lanes.peek()?.head).toBe(nextOf(pair));
      }
    }),
    { numRuns: 1_000 },
  );
});
