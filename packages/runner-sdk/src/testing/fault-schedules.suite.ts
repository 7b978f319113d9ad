import fc from 'fast-check';
import { expect } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import type { Faults, FrameType } from '../hosts/in-memory/faults.js';
import { inMemoryHost, type InMemoryHost, type InMemoryJob } from '../hosts/in-memory/in-memory-host.js';
import { sleep } from '../util/clock.js';
import { startRunner, stopRunners } from './attached-runner.suite.js';

const words = { version: '1.0.0', description: 'For a test.' };

/** What a job does: by its effects; `announced` writes once it has said so. */
const KINDS = ['none', 'idempotent', 'writes', 'announced'] as const;
type Kind = (typeof KINDS)[number];

/** A weather, what is to be done in it, and when the link is cut. */
export interface Schedule {
  readonly seed: number;
  readonly faults: Faults;
  readonly jobs: ReadonlyArray<{
    kind: Kind;
    ms: number;
    failures: number;
    logs: number;
  }>;
  readonly cuts: ReadonlyArray<{ afterMs: number; forMs: number }>;
  /** The nth message of a type never arrives: the link is cut, and joined again later. */
  readonly cutAt: ReadonlyArray<{ type: FrameType; nth: number; forMs: number }>;
  readonly runners: number;
}

const rate = fc.constantFrom(0, 0.05, 0.2, 0.5);
/** Every weather that is tried. */
export const schedules: fc.Arbitrary<Schedule> = fc.record({
  seed: fc.nat(),
  faults: fc.record(
    {
      dropEvery: fc.integer({ min: 2, max: 7 }),
      duplicateEvery: fc.integer({ min: 1, max: 5 }),
      dropRate: rate,
      duplicateRate: rate,
      reorder: fc.boolean(),
      delayMs: fc
        .tuple(fc.nat({ max: 1_000 }), fc.nat({ max: 2_000 }))
        .map(([least, more]): [number, number] => [least, least + more]),
    },
    { requiredKeys: [] },
  ),
  jobs: fc.array(
    fc.record({
      kind: fc.constantFrom(...KINDS),
      ms: fc.constantFrom(0, 0, 1, 500, 5_000, 40_000),
      failures: fc.constantFrom(0, 0, 0, 1, 2),
      logs: fc.nat({ max: 3 }),
    }),
    { minLength: 1, maxLength: 8 },
  ),
  cutAt: fc.array(
    fc.record({
      type: fc.constantFrom<FrameType>(
        'register',
        'ready',
        'offers',
        'accept',
        'confirmed',
        'events',
        'acknowledged',
      ),
      nth: fc.integer({ min: 1, max: 12 }),
      forMs: fc.nat({ max: 30_000 }),
    }),
    { maxLength: 4 },
  ),
  cuts: fc.array(fc.record({ afterMs: fc.nat({ max: 20_000 }), forMs: fc.nat({ max: 40_000 }) }), {
    maxLength: 3,
  }),
  runners: fc.integer({ min: 1, max: 2 }),
});

function createWork(host: InMemoryHost) {
  const calls = new Map<string, number>();
  const writes = new Map<string, number>();
  const count = (of: Map<string, number>, jobId: string): void =>
    void of.set(jobId, (of.get(jobId) ?? 0) + 1);
  const capabilities = KINDS.map((kind) =>
    defineCapability({
      ...words,
      id: kind,
      effects: kind === 'announced' ? 'writes' : kind,
      announcesWrites: kind === 'announced',
      // Out of the way: what times out is tried again because its retry policy says so, whatever its effects.
      timeoutMs: 3_600_000,
      input: z.object({ ms: z.number(), failures: z.number(), logs: z.number() }),
      async execute({ ms, failures, logs }, ctx) {
        count(calls, ctx.jobId);
        for (let line = 0; line < logs; line++) ctx.log.info(`line ${line}`);
        if (ms > 0 && !(await sleep(host.clock, ms, ctx.signal))) throw ctx.signal.reason;
        if (ctx.attempt <= failures) throw new Error('not yet');
        if (kind === 'announced') {
          await ctx.willWrite();
          count(writes, ctx.jobId);
          if (ms > 0 && !(await sleep(host.clock, ms, ctx.signal))) throw ctx.signal.reason;
        }
        return { job: ctx.jobId, ms };
      },
    }),
  );
  return { calls, writes, capabilities };
}

/** Cuts the link at the messages that are named. */
function createHost({ seed, faults, cutAt }: Schedule): InMemoryHost {
  const host: InMemoryHost = inMemoryHost({
    seed,
    faults: {
      ...faults,
      decide({ type, nth }) {
        const cut = cutAt.find((one) => one.type === type && one.nth === nth);
        if (!cut) return undefined;
        host.clock.setTimeout(host.reconnect, cut.forMs);
        return 'disconnect';
      },
    },
  });
  return host;
}

/**
 * Waits until every job has ended. What loses each nth message can lose the same one for ever: no lease of a job that
 * takes two of them is then renewed in time, and it is begun again and again, by right. Only in such weather may jobs
 * wait for it to pass; what is stuck for another reason does not end then either.
 */
async function allEnded(host: InMemoryHost, jobs: readonly InMemoryJob[], faults: Faults): Promise<void> {
  if (faults.dropEvery !== undefined) host.clock.setTimeout(() => host.setFaults({}), 3_600_000);
  await host.clock.advanceUntil(Promise.all(jobs.map((job) => job.outcome())), '12h');
}

/** Plays a schedule until every job has ended. */
export async function play(schedule: Schedule) {
  const { jobs: wanted, cuts, runners: count, faults } = schedule;
  const host = createHost(schedule);
  const { calls, writes, capabilities } = createWork(host);
  const runners = await Promise.all(
    Array.from({ length: count }, () => startRunner(host, capabilities, { maxConcurrency: 3 })),
  );
  const jobs = await Promise.all(
    wanted.map(({ kind, ...input }) => host.submit(kind, input, { retryPolicy: { maxRetries: 1_000 } })),
  );
  for (const { afterMs, forMs } of cuts) {
    await host.clock.advance(afterMs);
    host.disconnect();
    await host.clock.advance(forMs);
    host.reconnect();
  }
  await allEnded(host, jobs, faults);
  return { host, jobs, calls, writes, runners };
}

/** Plays a schedule and checks that every job ended once, with the right result, and that nothing is left over. */
export async function playAndCheck(schedule: Schedule): Promise<void> {
  const { host, jobs, calls, writes, runners } = await play(schedule);
  const ended = jobs.map(({ state, attempts }) => ({ state, attempts }));
  for (const [index, job] of jobs.entries()) {
    const { kind = 'none', ms = 0, failures = 0 } = schedule.jobs[index] ?? {};
    const outcome = await job.outcome();
    const ran = calls.get(job.id) ?? 0;
    if (kind === 'writes') expect(ran).toBeLessThanOrEqual(failures + 1);
    expect(writes.get(job.id) ?? 0).toBeLessThanOrEqual(1);
    if ((kind === 'writes' || kind === 'announced') && outcome.state === 'failed') {
      expect(outcome.error.code).toBe('RUNNER_LOST');
      continue;
    }
    expect(outcome).toMatchObject({ state: 'completed', data: { job: job.id, ms } });
    // An attempt whose confirmation was cut off counts and did not run.
    expect(ran).toBeGreaterThanOrEqual(1);
    expect(ran).toBeLessThanOrEqual(outcome.attempts);
    expect(job.events().filter(({ type }) => type === 'succeeded')).toHaveLength(1);
  }
  // What is late changes nothing; once the weather is fair, nothing is owed to anybody and every slot is free.
  host.setFaults({});
  await host.clock.advance('3m');
  expect(jobs.map(({ state, attempts }) => ({ state, attempts }))).toEqual(ended);
  expect(runners.map(({ session }) => session.status.unacknowledged)).toEqual(runners.map(() => 0));
  expect(host.runners.flatMap(({ executions }) => executions)).toEqual([]);
  const input = { ms: 0, failures: 0, logs: 0 };
  const after = await Promise.all(
    Array.from({ length: 3 * runners.length }, () => host.submit('writes', { ...input, ms: 10 })),
  );
  expect(after.map(({ state }) => state)).toEqual(after.map(() => 'running'));
  await stopRunners(host, runners);
  expect(after.map(({ state }) => state)).toEqual(after.map(() => 'completed'));
  expect(host.runners).toEqual([]);
}
