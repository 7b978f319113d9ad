import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { inMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import type { Faults, FrameType } from '../hosts/in-memory/faults.js';
import { sleep } from '../util/clock.js';
import type { VirtualClock } from '../util/virtual-clock.js';
import { startRunner, stopRunners } from './attached-runner.suite.js';

/** Writes, takes its time, and counts how often it began. */
const createWriter = (clock: VirtualClock) => {
  const calls: string[] = [];
  const capability = defineCapability({
    id: 'write',
    version: '1.0.0',
    description: 'For a test.',
    input: z.object({ ms: z.number() }),
    effects: 'writes',
    async execute({ ms }, ctx) {
      calls.push(ctx.executionId);
      ctx.log.info('writing');
      if (await sleep(clock, ms, ctx.signal)) return `wrote for ${ms} ms`;
      throw ctx.signal.reason;
    },
  });
  return { calls, capability };
};

const once =
  (wanted: FrameType, fate: 'drop' | 'duplicate', of = 1): Faults['decide'] =>
  ({ type, nth }) =>
    type === wanted && nth === of ? fate : undefined;

describe('a message that is lost once', () => {
  test.each<[FrameType, number]>([
    ['register', 1],
    ['ready', 1],
    ['accept', 1],
    ['confirmed', 1],
    ['events', 1],
    ['events', 2],
    ['acknowledged', 1],
    ['acknowledged', 2],
    ['heartbeat', 1],
  ])('%s (%i): the handler runs once, in its first attempt, and the result arrives', async (type, nth) => {
    const host = inMemoryHost({ faults: { decide: once(type, 'drop', nth) } });
    const writer = createWriter(host.clock);
    const started = await startRunner(host, [writer.capability]);
    const job = await host.submit('write', { ms: 15_000 });
    expect(await host.clock.advanceUntil(job.outcome(), '30s')).toEqual({
      state: 'completed',
      data: 'wrote for 15000 ms',
      attempts: 1,
    });
    expect(writer.calls).toEqual(['job-1.1']);
    await stopRunners(host, [started]);
    expect(started.session.status.unacknowledged).toBe(0);
  });

  test('an offer: it goes back after five seconds and is made again, at no cost to the job', async () => {
    const host = inMemoryHost({ faults: { decide: once('offers', 'drop') } });
    const writer = createWriter(host.clock);
    await startRunner(host, [writer.capability]);
    const job = await host.submit('write', { ms: 1_000 });
    await host.clock.advance('4s');
    expect([job.state, job.attempts, writer.calls]).toEqual(['queued', 0, []]);
    await host.clock.advance('2s');
    expect(await job.outcome()).toMatchObject({ state: 'completed', attempts: 1 });
    expect(writer.calls).toEqual(['job-1.2']);
    expect(host.clock.elapsed()).toBe(6_000);
  });

  test('an instruction to cancel: the next heartbeat brings it', async () => {
    const host = inMemoryHost({ faults: { decide: once('directives', 'drop') } });
    const writer = createWriter(host.clock);
    await startRunner(host, [writer.capability]);
    const job = await host.submit('write', { ms: 25_000 });
    job.cancel();
    await host.clock.settle();
    expect(job.state).toBe('running');
    await host.clock.advance('12s');
    expect(await job.outcome()).toEqual({ state: 'cancelled', attempts: 1 });
  });
});

describe('a message that arrives twice', () => {
  test.each<FrameType>(['register', 'offers', 'accept', 'confirmed', 'events', 'acknowledged', 'deregister'])(
    '%s: the handler runs once and the job ends once',
    async (type) => {
      const host = inMemoryHost({ faults: { duplicateEvery: 1, only: [type] } });
      const writer = createWriter(host.clock);
      const started = await startRunner(host, [writer.capability]);
      const job = await host.submit('write', { ms: 1_000 });
      await host.clock.advance('1s');
      expect(job.state).toBe('completed');
      expect(job.events().map((event) => event.type)).toEqual(['accepted', 'log', 'succeeded']);
      expect(writer.calls).toHaveLength(1);
      await stopRunners(host, [started]);
      expect(host.runners).toEqual([]);
    },
  );
});

test("an offer that comes late, when its job is another runner's, is not run", async () => {
  const late: Faults['decide'] = ({ type, nth }) =>
    type === 'offers' && nth === 1 ? { delayMs: 7_000 } : undefined;
  const host = inMemoryHost({ faults: { decide: late } });
  const writer = createWriter(host.clock);
  await Promise.all([startRunner(host, [writer.capability]), startRunner(host, [writer.capability])]);
  const job = await host.submit('write', { ms: 10_000 });
  await host.clock.advance('20s');
  expect(await job.outcome()).toMatchObject({ state: 'completed', attempts: 1 });
  expect(writer.calls).toEqual(['job-1.2']);
  const verdicts = host.frames.filter(
    ({ type, executionId }) => type === 'confirmed' && executionId === 'job-1.1',
  );
  expect(verdicts).toHaveLength(1);
});

test("a runner that comes back after its lease is told that the execution is another's, and stops it", async () => {
  const host = inMemoryHost();
  const reasons: unknown[] = [];
  const capability = defineCapability({
    id: 'long',
    version: '1.0.0',
    description: 'For a test.',
    input: z.object({}),
    async execute(_input, ctx) {
      if (await sleep(host.clock, 29_000, ctx.signal)) return ctx.attempt;
      reasons.push(ctx.signal.reason);
      throw ctx.signal.reason;
    },
  });
  await startRunner(host, [capability]);
  const job = await host.submit('long', {}, { retryPolicy: {} });
  host.disconnect();
  await host.clock.advance('21s');
  host.reconnect();
  await host.clock.settle();
  await host.clock.advance('30s');
  expect(await job.outcome()).toEqual({ state: 'completed', data: 2, attempts: 2 });
  expect(reasons).toEqual([expect.objectContaining({ kind: 'lease-lost' })]);
});

test('a hundred running executions survive a drain: none is lost, none runs twice at once, all end', async () => {
  const host = inMemoryHost();
  const writer = createWriter(host.clock);
  const first = await startRunner(host, [writer.capability], { maxConcurrency: 100 });
  const jobs = await Promise.all(
    Array.from({ length: 100 }, (_, index) => host.submit('write', { ms: index < 50 ? 500 : 20_000 })),
  );
  expect(writer.calls).toHaveLength(100);
  const second = await startRunner(host, [writer.capability], { maxConcurrency: 100 });
  const stopped = first.runner.stop({ drainMs: 1_000 });
  await host.clock.advance('30s');
  await stopped;
  const outcomes = await Promise.all(jobs.map((job) => job.outcome()));
  expect(outcomes.every(({ state, attempts }) => state === 'completed' && attempts === 1)).toBe(true);
  expect(writer.calls).toHaveLength(150);
  await stopRunners(host, [second]);
});
