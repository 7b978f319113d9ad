/**
 * @module
 * The link is cut 200 times before an accept, 200 times around one, 200 times around a result and its acknowledgement:
 * each job ends exactly once, with the right result, and no handler runs twice that must not.
 */
import type { JobHandle } from '@controlplane/jobforge';
import { describe, expect, it } from 'vitest';
import { createActs } from './capabilities.js';
import type { Gate } from './gate.js';
import { openStage, type DeliveryKind, type Stage } from './stage.js';

const CUTS = 200;
const RUNNERS = 4;
const JOBS_AT_ONCE = 16;

/** How a phase is seen in what passes. */
interface Phase {
  readonly name: string;
  readonly seen: (text: string, isFromJobForge: boolean) => boolean;
}

const PHASES: readonly Phase[] = [
  {
    name: 'before the accept',
    seen: (text, isFromJobForge) => isFromJobForge && text.includes('"leaseToken"'),
  },
  {
    name: 'around the accept',
    seen: (text, isFromJobForge) =>
      isFromJobForge
        ? /"type":"confirmed"|"accepted":true/.test(text)
        : /"type":"accept|\/accept HTTP/.test(text),
  },
  {
    name: 'around the result and its acknowledgement',
    seen: (text, isFromJobForge) => text.includes(isFromJobForge ? '"acknowledged' : '"succeeded"'),
  },
];

/** Numbers in [0, 1) that are the same each time. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Cuts what passes the gate whenever the phase is seen, but for a share of the times. */
function cutAt(gate: Gate, phase: Phase, cuts: { count: number; readonly delivery: DeliveryKind }): void {
  const random = sequence(7 + cuts.count);
  gate.judge = (text, isReply) => {
    // A runner that is pushed to stands behind its gate, one that dials in stands before it.
    const isFromJobForge = cuts.delivery === 'push' ? !isReply : isReply;
    if (cuts.count >= CUTS || !phase.seen(text, isFromJobForge) || random() < 0.3) return 'pass';
    cuts.count += 1;
    return random() < 0.5 ? 'cut before' : 'cut after';
  };
}

async function endings(job: JobHandle): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of job.events()) types.push(type);
  return types.filter((type) => /completed|failed|cancelled/.test(type));
}

/** Submits one job after the other until the link has been cut often enough. */
async function submitOn(stage: Stage, cuts: { readonly count: number }, jobs: JobHandle[]): Promise<void> {
  const { acts, submit } = stage;
  while (cuts.count < CUTS) {
    const n = jobs.length;
    const writes = n % 2 === 1;
    const submitted = submit(writes ? 'stage.echo-writes' : 'stage.echo', { n, workMs: n % 3 });
    jobs.push(await submitted);
    const job = await submitted;
    const result = await job.result();
    expect(result, `job ${n} after ${cuts.count} cuts`).toMatchObject({ success: true, data: { n } });
    if (writes) expect(acts.began.filter((id) => id === job.id)).toHaveLength(1);
  }
}

async function cutAgainAndAgain(delivery: DeliveryKind, phase: Phase): Promise<void> {
  const stage = await openStage(delivery, createActs(), {
    limits: { leaseMs: 20_000, heartbeatIntervalMs: 2_000 },
  });
  try {
    const cuts = { count: 0, delivery };
    for (let runner = 0; runner < RUNNERS; runner += 1) {
      const { gate } = await stage.gatedRunner({ random: () => 0 });
      cutAt(gate, phase, cuts);
    }
    const jobs: JobHandle[] = [];
    await Promise.all(Array.from({ length: JOBS_AT_ONCE }, () => submitOn(stage, cuts, jobs)));
    expect(cuts.count).toBe(CUTS);
    for (const job of jobs) expect(await endings(job)).toEqual(['job.completed']);
  } finally {
    await stage.close();
  }
}

describe.each(PHASES)('the link cut 200 times $name', (phase) => {
  it.concurrent.each(['push', 'websocket', 'long-poll'] as const)('by %s', (delivery) =>
    cutAgainAndAgain(delivery, phase),
  );
});
