import { describe, expect, test } from 'vitest';
import type { CapabilityContext } from '../capability/capability-context.js';
import { createDeferred } from '../util/deferred.js';
import { createExecutorFixture, createTalk } from './executor-fixture.js';

function busy(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

/** Counts the turns of the event loop until it is told to stop. */
function countTurns(): () => number {
  let turns = 0;
  let timer = setImmediate(function count() {
    turns++;
    timer = setImmediate(count);
  });
  return () => {
    clearImmediate(timer);
    return turns;
  };
}

describe('a handler that computes and yields', () => {
  test('hears of its cancel by what it awaits', async () => {
    const thrown = createDeferred<unknown>();
    const { executor, start, requestOf } = createExecutorFixture([
      createTalk(async (ctx) => {
        try {
          for (;;) {
            busy(1);
            await ctx.yield();
          }
        } catch (error) {
          thrown.resolve(error);
        }
      }),
    ]);
    const { request, last } = await start(requestOf('talk'));
    executor.cancel(request.executionId, 'user');
    expect(await thrown.promise).toMatchObject({ name: 'ExecutionCancelled', kind: 'user' });
    await new Promise(setImmediate);
    expect(last()).toMatchObject({ type: 'cancelled', reason: 'user' });
  });

  test('lets go of the thread, and no more often than every ten milliseconds', async () => {
    const counted = createDeferred<number>();
    const { start, requestOf } = createExecutorFixture([
      createTalk(async (ctx) => {
        const stop = countTurns();
        const untilMs = performance.now() + 100;
        while (performance.now() < untilMs) await ctx.yield();
        counted.resolve(stop());
      }),
    ]);
    await start(requestOf('talk'));
    expect(await counted.promise).toBeGreaterThanOrEqual(1);
    expect(await counted.promise).toBeLessThanOrEqual(11);
  });

  test('is told when its execution is over', async () => {
    let left: CapabilityContext | undefined;
    const { start, requestOf } = createExecutorFixture([createTalk((ctx) => void (left = ctx))]);
    await start(requestOf('talk'));
    await new Promise(setImmediate);
    await expect(left?.yield()).rejects.toMatchObject({ code: 'EXECUTION_OVER' });
  });
});
