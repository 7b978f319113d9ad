import { describe, expect, test } from 'vitest';
import type { CapabilityContext } from '../capability/capability-context.js';
import { isExecutionCancelled } from '../errors/execution-cancelled.js';
import { createExecutorFixture, createHeld, settle } from './executor-fixture.js';

describe('an idle limit', () => {
  test('ends an execution that says nothing, and says that it was idle', async () => {
    const { capability, calls } = createHeld('held', { idleTimeoutMs: 500 });
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held'));
    await clock.advance(499);
    expect(calls[0]?.ctx.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(calls[0]?.ctx.signal.reason).toMatchObject({
      kind: 'deadline',
      message: 'nothing was heard of it for 500 ms',
    });
    calls[0]?.reject(new Error('stopped'));
    await settle();
    expect(last()).toMatchObject({
      type: 'failed',
      error: {
        code: 'EXECUTION_TIMEOUT',
        message: 'held@1.0.0 was idle: no log, progress, output or checkpoint for 500 ms',
      },
    });
  });

  test.each<[string, (ctx: CapabilityContext) => unknown]>([
    ['a log line', ({ log }) => log.debug('here')],
    ['progress', ({ progress }) => progress(0.1)],
    ['output', ({ output }) => output('stdout', 'here')],
    ['a checkpoint', ({ checkpoint }) => checkpoint(1)],
  ])('begins anew with %s', async (_what, say) => {
    const { capability, calls } = createHeld('held', { idleTimeoutMs: 500 });
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    await start(requestOf('held'));
    const ctx = calls[0]?.ctx as CapabilityContext;
    for (let round = 0; round < 5; round++) {
      await clock.advance(400);
      await say(ctx);
    }
    await clock.advance(499);
    expect(ctx.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(ctx.signal.aborted).toBe(true);
  });

  test('does not outlive the total one, and leaves no timer behind', async () => {
    const { capability, calls } = createHeld('held', { idleTimeoutMs: 500, timeoutMs: 700 });
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    const { last } = await start(requestOf('held'));
    await clock.advance(400);
    calls[0]?.ctx.log.info('here');
    await clock.advance(300);
    calls[0]?.reject(new Error('stopped'));
    await settle();
    expect(last()).toMatchObject({ error: { message: 'held@1.0.0 did not end within 700 ms' } });
    expect(clock.pending()).toBe(0);
  });
});

describe('a handler that goes on after it was told to stop', () => {
  test('is counted and spoken of after a second, and given up after its grace', async () => {
    const { capability } = createHeld();
    const { start, requestOf, clock, executor, warnings } = createExecutorFixture([capability]);
    const { request, last } = await start(requestOf('held'));
    executor.cancel(request.executionId, 'user');
    await clock.advance(999);
    expect(executor.uncooperative()).toBe(0);
    await clock.advance(1);
    expect(executor.uncooperative()).toBe(1);
    expect(warnings).toEqual([expect.stringContaining('goes on although its signal is aborted')]);
    await clock.advance(8_999);
    expect(executor.running()).toHaveLength(1);
    await clock.advance(1);
    expect(last()).toMatchObject({ type: 'cancelled' });
    expect(executor.uncooperative()).toBe(1);
  });

  test('is not counted when it stops in time', async () => {
    const { capability, calls } = createHeld();
    const { start, requestOf, clock, executor } = createExecutorFixture([capability]);
    const { request } = await start(requestOf('held'));
    executor.cancel(request.executionId, 'user');
    await clock.advance(500);
    calls[0]?.reject(new Error('stopped'));
    await clock.advance(60_000);
    expect(executor.uncooperative()).toBe(0);
  });
});

describe('the shutdown signal', () => {
  test('is aborted when the runner begins to drain, long before the signal', async () => {
    const { capability, calls } = createHeld();
    const { start, requestOf, clock, executor } = createExecutorFixture([capability]);
    await start(requestOf('held'));
    const ctx = calls[0]?.ctx as CapabilityContext;
    const { shutdownSignal, signal } = ctx;
    expect(shutdownSignal.aborted).toBe(false);
    const drained = executor.drain({ drainMs: 10_000, graceMs: 2_000 });
    expect(isExecutionCancelled(shutdownSignal.reason, 'shutdown')).toBe(true);
    expect(signal.aborted).toBe(false);
    await clock.advance(10_000);
    expect(isExecutionCancelled(signal.reason, 'shutdown')).toBe(true);
    await clock.advance(2_000);
    await drained;
  });

  test('that is first looked at then is aborted already', async () => {
    const { capability, calls } = createHeld();
    const { start, requestOf, executor } = createExecutorFixture([capability]);
    await start(requestOf('held'));
    void executor.drain({ drainMs: 10_000, graceMs: 2_000 });
    expect(calls[0]?.ctx.shutdownSignal.aborted).toBe(true);
    calls[0]?.resolve(1);
  });
});

test('the reason of a signal is recognised, also by its kind', () => {
  expect(isExecutionCancelled(new Error('x'))).toBe(false);
  expect(isExecutionCancelled(undefined)).toBe(false);
});
