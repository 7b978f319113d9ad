import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { CapabilityError } from '../errors/capability-error.js';
import { inMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { sleep } from '../util/clock.js';
import type { VirtualClock } from '../util/virtual-clock.js';
import { startRunner } from './attached-runner.suite.js';

const words = { version: '1.0.0', description: 'For a test.' };
const greet = defineCapability({
  ...words,
  id: 'greet',
  input: z.object({ name: z.string() }),
  effects: 'none',
  async execute({ name }, ctx) {
    ctx.log.info('greeting', { name });
    await ctx.progress(0.5);
    return { message: `Hello, ${name}` };
  },
});

/** Takes its time, and counts how often it began. */
const createSlow = (clock: VirtualClock, effects: 'idempotent' | 'writes' = 'idempotent') => {
  const calls: number[] = [];
  const capability = defineCapability({
    ...words,
    id: 'slow',
    input: z.object({ ms: z.number() }),
    effects,
    async execute({ ms }, ctx) {
      calls.push(clock.elapsed());
      if (await sleep(clock, ms, ctx.signal)) return `slept ${ms}`;
      throw ctx.signal.reason;
    },
  });
  return { calls, capability };
};

describe('a job', () => {
  test('is run by a runner that offers its capability, without moving the clock', async () => {
    const host = inMemoryHost();
    const waiting = await host.submit('greet', { name: 'Ada' });
    expect(waiting.state).toBe('queued');
    await startRunner(host, [greet]);
    expect(await waiting.outcome()).toEqual({
      state: 'completed',
      data: { message: 'Hello, Ada' },
      attempts: 1,
    });
    const second = await host.submit(greet, { name: 'Bob' });
    expect(second.state).toBe('completed');
    expect(second.events().map(({ type }) => type)).toEqual(['accepted', 'log', 'progress', 'succeeded']);
    expect(host.clock.elapsed()).toBe(0);
    expect(host.jobs.map(({ id, state }) => [id, state])).toEqual([
      ['job-1', 'completed'],
      ['job-2', 'completed'],
    ]);
  });

  test('ends with EXECUTION_TIMEOUT when its time is over, whatever is lost on the way', async () => {
    const host = inMemoryHost({ faults: { dropEvery: 3 }, seed: 7 });
    const slow = createSlow(host.clock);
    await startRunner(host, [slow.capability]);
    const job = await host.submit('slow', { ms: 60_000 });
    await host.clock.advance('31s');
    expect(await job.outcome()).toMatchObject({
      state: 'failed',
      error: { code: 'EXECUTION_TIMEOUT' },
      attempts: 1,
    });
  });

  test('is tried again by its retry policy', async () => {
    const host = inMemoryHost();
    let calls = 0;
    const flaky = defineCapability({
      ...words,
      id: 'flaky',
      input: z.object({}),
      execute(_input, { attempt }) {
        calls++;
        if (attempt < 3) throw new Error('not yet');
        return attempt;
      },
    });
    await startRunner(host, [flaky]);
    const job = await host.submit('flaky', {}, { retryPolicy: {} });
    expect(job.state).toBe('retrying');
    expect(await host.clock.advanceUntil(job.outcome())).toEqual({
      state: 'completed',
      data: 3,
      attempts: 3,
    });
    expect(calls).toBe(3);
    expect(host.clock.elapsed()).toBeGreaterThanOrEqual(1_500);
    expect(host.clock.elapsed()).toBeLessThanOrEqual(3_000);
  });

  test('fails at once for what another attempt cannot mend', async () => {
    const host = inMemoryHost();
    const gone = defineCapability({
      ...words,
      id: 'gone',
      input: z.object({}),
      execute: () => {
        throw new CapabilityError('NOT_FOUND', 'no such image', { retryable: false });
      },
    });
    await startRunner(host, [gone, greet]);
    expect(await (await host.submit('gone', {})).outcome()).toMatchObject({
      error: { code: 'NOT_FOUND' },
      attempts: 1,
    });
    const wrong = await host.submit('greet', { nam: 'Ada' });
    expect(await wrong.outcome()).toMatchObject({
      state: 'failed',
      error: { code: 'VALIDATION_ERROR' },
      attempts: 0,
    });
  });

  test('waits for a slot, and goes back to the queue when its runner is busy', async () => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock);
    await startRunner(host, [slow.capability], { maxConcurrency: 2 });
    const jobs = await Promise.all([1, 2, 3].map(() => host.submit('slow', { ms: 1_000 })));
    expect(jobs.map(({ state }) => state)).toEqual(['running', 'running', 'queued']);
    await host.clock.advance('2s');
    expect(jobs.map(({ state }) => state)).toEqual(['completed', 'completed', 'completed']);
    expect(slow.calls).toEqual([0, 0, 1_000]);
  });

  test('is cancelled at once while it waits, and by its runner while it runs', async () => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock);
    const waiting = await host.submit('slow', { ms: 1_000 });
    waiting.cancel();
    expect(await waiting.outcome()).toEqual({ state: 'cancelled', attempts: 0 });
    await startRunner(host, [slow.capability]);
    const running = await host.submit('slow', { ms: 1_000 });
    running.cancel();
    expect(await running.outcome()).toEqual({ state: 'cancelled', attempts: 1 });
    expect(running.events().at(-1)).toMatchObject({ type: 'cancelled', reason: 'user' });
    expect(slow.calls).toHaveLength(1);
  });
});

describe('a runner', () => {
  test('beats every ten seconds or so, naming what it runs', async () => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock);
    const { session } = await startRunner(host, [slow.capability]);
    await host.submit('slow', { ms: 25_000 });
    await host.clock.advance('1m');
    expect(host.heartbeats.length).toBeGreaterThanOrEqual(5);
    expect(host.heartbeats.length).toBeLessThanOrEqual(6);
    expect(host.heartbeats[0]).toMatchObject({
      runnerId: 'runner-1',
      executions: ['job-1.1'],
      status: 'healthy',
    });
    expect(host.heartbeats.at(-1)?.executions).toEqual([]);
    expect(session.status).toMatchObject({ state: 'connected', runnerId: 'runner-1', unacknowledged: 0 });
    expect(session.reasons()).toEqual([]);
  });

  test('that drains takes nothing new, hands back what does not end in time, and leaves', async () => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock);
    const first = await startRunner(host, [slow.capability]);
    const quick = await host.submit('slow', { ms: 4_000 });
    const long = await host.submit('slow', { ms: 20_000 });
    const stopped = first.runner.stop({ drainMs: 5_000 });
    await host.clock.settle();
    expect(host.runners[0]).toMatchObject({ draining: true });
    const late = await host.submit('slow', { ms: 1_000 });
    await host.clock.advance('6s');
    await stopped;
    expect(host.runners).toEqual([]);
    expect([quick.state, long.state, late.state]).toEqual(['completed', 'queued', 'queued']);
    await startRunner(host, [slow.capability]);
    await host.clock.advance('20s');
    expect(await long.outcome()).toEqual({ state: 'completed', data: 'slept 20000', attempts: 1 });
    expect(late.state).toBe('completed');
  });
});

describe('a link that is cut', () => {
  test("keeps an execution its runner's when it is joined within the lease", async () => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock, 'writes');
    await startRunner(host, [slow.capability]);
    const job = await host.submit('slow', { ms: 10_000 });
    host.disconnect();
    await host.clock.advance('15s');
    expect(job.state).toBe('running');
    host.reconnect();
    await host.clock.settle();
    expect(await job.outcome()).toEqual({ state: 'completed', data: 'slept 10000', attempts: 1 });
    expect(slow.calls).toHaveLength(1);
  });

  test.each([
    ['idempotent', { state: 'completed', attempts: 2 }, 2],
    ['writes', { state: 'failed', error: { code: 'RUNNER_LOST' }, attempts: 1 }, 1],
  ] as const)('after the lease, what has effects "%s" ends so', async (effects, outcome, calls) => {
    const host = inMemoryHost();
    const slow = createSlow(host.clock, effects);
    await startRunner(host, [slow.capability]);
    const job = await host.submit('slow', { ms: 25_000 }, { retryPolicy: {} });
    host.disconnect();
    await host.clock.advance('21s');
    host.reconnect();
    await host.clock.advance('1m');
    expect(await job.outcome()).toMatchObject(outcome);
    expect(slow.calls).toHaveLength(calls);
  });

  test('before the accept: the offer goes back, no attempt is counted, and the handler runs once', async () => {
    const host = inMemoryHost({
      faults: { decide: ({ type, nth }) => (type === 'accept' && nth === 1 ? 'disconnect' : undefined) },
    });
    const slow = createSlow(host.clock, 'writes');
    await startRunner(host, [slow.capability]);
    const job = await host.submit('slow', { ms: 1_000 });
    expect([job.state, slow.calls]).toEqual(['queued', []]);
    host.reconnect();
    await host.clock.advance('2s');
    expect(await job.outcome()).toMatchObject({ state: 'completed', attempts: 1 });
    expect(slow.calls).toHaveLength(1);
  });

  test('after the result and before its acknowledgement: the result is told again', async () => {
    const host = inMemoryHost({
      faults: {
        decide: ({ type, nth }) => (type === 'acknowledged' && nth === 2 ? 'disconnect' : undefined),
      },
    });
    const slow = createSlow(host.clock, 'writes');
    const { session } = await startRunner(host, [slow.capability]);
    const job = await host.submit('slow', { ms: 1_000 });
    await host.clock.advance('2s');
    expect(job.state).toBe('completed');
    expect(session.status.unacknowledged).toBe(1);
    host.reconnect();
    await host.clock.settle();
    expect(session.status.unacknowledged).toBe(0);
    expect(slow.calls).toHaveLength(1);
  });
});
