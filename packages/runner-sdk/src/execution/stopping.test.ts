import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import type { CapabilityContext } from '../capability/capability-context.js';
import { createDeferred } from '../util/deferred.js';
import { createExecutorFixture } from './executor-fixture.js';

const words = { version: '1.0.0', description: 'For a test.', input: z.object({}) };

const untilAborted = (_input: unknown, { signal }: CapabilityContext): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
const polite = defineCapability({ ...words, id: 'polite', execute: untilAborted });
const deaf = defineCapability({ ...words, id: 'deaf', execute: () => new Promise(() => undefined) });

/** A capability whose end the test decides. */
function createHeld() {
  const done = createDeferred<unknown>();
  const context: { current?: CapabilityContext } = {};
  const capability = defineCapability({
    ...words,
    id: 'held',
    execute(_input, ctx) {
      context.current = ctx;
      return done.promise;
    },
  });
  return { capability, done, context };
}

describe('the deadline', () => {
  test("is the sender's where it names one, else the capability's", async () => {
    const quick = defineCapability({ ...words, id: 'quick', timeoutMs: 100, execute: untilAborted });
    const { start, requestOf, clock } = createExecutorFixture([quick]);
    const own = await start(requestOf('quick'));
    const named = await start(requestOf('quick', {}, { timeoutMs: 500 }));
    await clock.advance(100);
    expect(own.last()).toMatchObject({
      type: 'failed',
      error: { code: 'EXECUTION_TIMEOUT', message: 'quick@1.0.0 did not end within 100 ms' },
    });
    expect(named.types()).toEqual(['accepted']);
    await clock.advance(400);
    expect(named.last()).toMatchObject({ error: { code: 'EXECUTION_TIMEOUT' }, executionTimeMs: 500 });
  });

  test('aborts the signal with its reason', async () => {
    const { capability, context } = createHeld();
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    await start(requestOf('held', {}, { timeoutMs: 50 }));
    const { signal } = context.current as CapabilityContext;
    await clock.advance(50);
    expect(signal.reason).toMatchObject({ name: 'ExecutionCancelled', kind: 'deadline' });
  });

  test('is over for a handler that ignores it after five seconds of grace, and its slot is free', async () => {
    const { start, requestOf, clock, executor } = createExecutorFixture([deaf], { slots: 1 });
    const { types, last } = await start(requestOf('deaf', {}, { timeoutMs: 50 }));
    await clock.advance(50 + 4999);
    expect(types()).toEqual(['accepted']);
    await clock.advance(1);
    expect(last()).toMatchObject({ type: 'failed', error: { code: 'EXECUTION_TIMEOUT' } });
    expect(executor.running()).toEqual([]);
    expect((await start(requestOf('deaf'))).types()).toEqual(['accepted']);
  });

  test('counts also for an input schema that never answers', async () => {
    const stuck = defineCapability({
      ...words,
      id: 'stuck',
      input: z.object({}).refine(() => new Promise<boolean>(() => undefined)),
      execute: () => 1,
    });
    const { start, requestOf, clock } = createExecutorFixture([stuck]);
    const { last } = await start(requestOf('stuck', {}, { timeoutMs: 50 }));
    await clock.advance(5050);
    expect(last()).toMatchObject({ type: 'failed', seq: 0, error: { code: 'EXECUTION_TIMEOUT' } });
  });

  test('leaves no timer behind when the execution ends in time', async () => {
    const { capability, done } = createHeld();
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held'));
    done.resolve('result');
    await clock.advance(0);
    expect(last()).toMatchObject({ type: 'succeeded' });
    expect(clock.pending()).toBe(0);
  });

  test('makes a result that comes too late not count', async () => {
    const { capability, done } = createHeld();
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held', {}, { timeoutMs: 50 }));
    await clock.advance(60);
    done.resolve('late');
    await clock.advance(0);
    expect(last()).toMatchObject({ type: 'failed', error: { code: 'EXECUTION_TIMEOUT' } });
  });
});

describe('a cancel', () => {
  test('ends the execution as cancelled, whatever the handler throws', async () => {
    const { start, requestOf, executor, clock } = createExecutorFixture([polite]);
    const { request, last } = await start(requestOf('polite'));
    expect(executor.cancel(request.executionId, 'user')).toBe('cancelling');
    await clock.advance(0);
    expect(last()).toMatchObject({ type: 'cancelled', reason: 'user' });
  });

  test('reaches a handler that asks for its signal only afterwards', async () => {
    const { capability, context } = createHeld();
    const { start, requestOf, executor } = createExecutorFixture([capability]);
    const { request } = await start(requestOf('held'));
    executor.cancel(request.executionId, 'lease-lost');
    expect(context.current?.signal.aborted).toBe(true);
    expect(context.current?.signal.reason).toMatchObject({ kind: 'lease-lost' });
  });

  test('gives a deaf handler up after the grace, and hears nothing more of it', async () => {
    const { capability, done, context } = createHeld();
    const { start, requestOf, executor, clock } = createExecutorFixture([capability], {
      limits: { cancelGraceMs: 300 },
    });
    const { request, events } = await start(requestOf('held'));
    executor.cancel(request.executionId, 'user');
    await clock.advance(300);
    context.current?.log.info('still here');
    await context.current?.progress(1);
    done.resolve('late');
    await clock.advance(0);
    expect(events.map(({ type }) => type)).toEqual(['accepted', 'cancelled']);
  });

  test('keeps its first reason', async () => {
    const { start, requestOf, executor, clock } = createExecutorFixture([deaf], {
      limits: { cancelGraceMs: 300 },
    });
    const { request, last } = await start(requestOf('deaf'));
    executor.cancel(request.executionId, 'lease-lost');
    executor.cancel(request.executionId, 'user');
    await clock.advance(300);
    expect(last()).toMatchObject({ type: 'cancelled', reason: 'lease-lost' });
  });

  test('says what it found: ended, unknown, or under another lease', async () => {
    const { capability, done } = createHeld();
    const { start, requestOf, executor, clock } = createExecutorFixture([capability]);
    const { request } = await start(requestOf('held', {}, { leaseToken: 'lease-1' }));
    expect(executor.cancel(request.executionId, 'user', 'lease-2')).toBe('superseded');
    done.resolve(1);
    await clock.advance(0);
    expect(executor.cancel(request.executionId, 'user')).toBe('ended');
    expect(executor.cancel('nothing', 'user')).toBe('unknown');
  });

  test('before the input is checked ends an execution that was never accepted', async () => {
    const slow = defineCapability({
      ...words,
      id: 'slow',
      input: z.object({}).refine(async () => Promise.resolve(true)),
      execute: () => 1,
    });
    const { start, requestOf, executor, clock } = createExecutorFixture([slow]);
    const { request, types } = await start(requestOf('slow'));
    executor.cancel(request.executionId, 'user');
    await clock.advance(0);
    expect(types()).toEqual(['cancelled']);
  });
});

describe('a drain', () => {
  test('lets running executions finish and refuses new ones', async () => {
    const { capability, done } = createHeld();
    const { start, requestOf, executor, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held'));
    const drained = executor.drain({ drainMs: 1000, graceMs: 100 });
    expect((await start(requestOf('held'))).last()).toMatchObject({
      type: 'failed',
      seq: 0,
      error: { code: 'RUNNER_DRAINING', retryable: true },
    });
    done.resolve('in time');
    await drained;
    expect(last()).toMatchObject({ type: 'succeeded', data: 'in time' });
    await clock.advance(0);
    expect(clock.pending()).toBe(0);
  });

  test('still answers a repeated delivery of what it knows', async () => {
    const { start, requestOf, executor } = createExecutorFixture([deaf]);
    const { request } = await start(requestOf('deaf'));
    void executor.drain({ drainMs: 1000, graceMs: 100 });
    expect((await start(request)).types()).toEqual(['accepted']);
  });

  test('hands back what is left as RUNNER_SHUTDOWN, deaf or not', async () => {
    const { start, requestOf, executor, clock } = createExecutorFixture([polite, deaf]);
    const first = await start(requestOf('polite'));
    const second = await start(requestOf('deaf'));
    const drained = executor.drain({ drainMs: 1000, graceMs: 100 });
    await clock.advance(1000);
    expect(first.last()).toMatchObject({
      type: 'failed',
      error: { code: 'RUNNER_SHUTDOWN', retryable: true },
    });
    expect(second.types()).toEqual(['accepted']);
    await clock.advance(100);
    expect(second.last()).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN' } });
    await drained;
  });

  test('keeps a result that comes within the grace', async () => {
    const { capability, done } = createHeld();
    const { start, requestOf, executor, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held'));
    void executor.drain({ drainMs: 1000, graceMs: 100 });
    await clock.advance(1050);
    done.resolve('just in time');
    await clock.advance(0);
    expect(last()).toMatchObject({ type: 'succeeded' });
  });

  test('without a time tells nothing to what runs, until another drain has one', async () => {
    const { capability, context } = createHeld();
    const { start, requestOf, executor, clock } = createExecutorFixture([capability]);
    const { last, types } = await start(requestOf('held', {}, { timeoutMs: 3_600_000 }));
    const { shutdownSignal } = context.current as CapabilityContext;
    const drained = executor.drain({ graceMs: 100 });
    expect((await start(requestOf('held'))).last()).toMatchObject({ error: { code: 'RUNNER_DRAINING' } });
    await clock.advance(600_000);
    expect(shutdownSignal.aborted).toBe(false);
    const sooner = executor.drain({ drainMs: 1000, graceMs: 100 });
    expect(shutdownSignal.aborted).toBe(true);
    await clock.advance(999);
    expect(types()).toEqual(['accepted']);
    await clock.advance(1 + 100);
    expect(last()).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN' } });
    await drained;
    await sooner;
  });

  test('that began earlier ends earlier, and its grace is not begun anew', async () => {
    const { start, requestOf, executor, clock } = createExecutorFixture([deaf]);
    const { last } = await start(requestOf('deaf'));
    void executor.drain({ drainMs: 1000, graceMs: 100 });
    await clock.advance(950);
    void executor.drain({ drainMs: 100, graceMs: 100 });
    await clock.advance(150);
    expect(last()).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN' } });
  });

  test('is over at once when it is aborted', async () => {
    const { start, requestOf, executor } = createExecutorFixture([deaf]);
    const { last } = await start(requestOf('deaf'));
    const drained = executor.drain({ drainMs: 1000, graceMs: 100 });
    executor.abort();
    await drained;
    expect(last()).toMatchObject({ error: { code: 'RUNNER_SHUTDOWN' } });
  });
});
