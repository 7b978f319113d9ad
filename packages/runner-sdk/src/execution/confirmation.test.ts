import type { ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { createDeferred } from '../util/deferred.js';
import { createExecutorFixture, createHeld, settle } from './executor-fixture.js';

function createClaimed(limits: { slots?: number } = {}) {
  const held = createHeld();
  const fixture = createExecutorFixture([held.capability], limits);
  const { executor, requestOf } = fixture;
  const claim = (request = requestOf('held')) => {
    const confirmed = createDeferred<boolean>();
    const events: ExecutionEvent[] = [];
    executor.run(request, (event) => events.push(event), { confirmed: confirmed.promise });
    return { request, confirmed, types: () => events.map(({ type }) => type), last: () => events.at(-1) };
  };
  return { ...fixture, ...held, claim };
}

describe('an execution whose acceptance is to be confirmed', () => {
  test('starts its handler only then', async () => {
    const { claim, calls } = createClaimed();
    const { confirmed, types } = claim();
    await settle();
    expect(types()).toEqual(['accepted']);
    expect(calls).toHaveLength(0);
    confirmed.resolve(true);
    await settle();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(1);
    await settle();
    expect(types()).toEqual(['accepted', 'succeeded']);
  });

  test.each([
    ['is refused', (confirmed: ReturnType<typeof createDeferred<boolean>>) => confirmed.resolve(false)],
    [
      'breaks',
      (confirmed: ReturnType<typeof createDeferred<boolean>>) => confirmed.reject(new Error('gone')),
    ],
  ])(
    'frees its slot without a word when the claim %s, and may be offered again',
    async (_how, settleClaim) => {
      const { claim, calls, executor, clock } = createClaimed({ slots: 1 });
      const first = claim();
      settleClaim(first.confirmed);
      await settle();
      expect(first.types()).toEqual(['accepted']);
      expect(executor.running()).toEqual([]);
      expect(executor.cancel(first.request.executionId, 'user')).toBe('unknown');
      expect(clock.pending()).toBe(0);
      const again = claim(first.request);
      again.confirmed.resolve(true);
      await settle();
      expect(again.types()).toEqual(['accepted']);
      expect(calls).toHaveLength(1);
    },
  );

  test('that is offered again follows the later claim', async () => {
    const { claim, calls } = createClaimed();
    const first = claim();
    const again = claim(first.request);
    expect(again.types()).toEqual(['accepted']);
    first.confirmed.resolve(false);
    await settle();
    again.confirmed.resolve(true);
    await settle();
    expect(calls).toHaveLength(1);
  });

  test('is forgotten at once when its lease is lost', async () => {
    const { claim, calls, executor } = createClaimed();
    const { request, confirmed, types } = claim();
    expect(executor.cancel(request.executionId, 'lease-lost')).toBe('cancelling');
    expect(executor.running()).toEqual([]);
    confirmed.resolve(true);
    await settle();
    expect(types()).toEqual(['accepted']);
    expect(calls).toHaveLength(0);
  });

  test('that is cancelled meanwhile ends as cancelled once it is confirmed, and is forgotten when it is not', async () => {
    const { claim, calls, executor } = createClaimed();
    const kept = claim();
    const lost = claim();
    executor.cancel(kept.request.executionId, 'user');
    executor.cancel(lost.request.executionId, 'user');
    kept.confirmed.resolve(true);
    lost.confirmed.resolve(false);
    await settle();
    expect(kept.types()).toEqual(['accepted', 'cancelled']);
    expect(lost.types()).toEqual(['accepted']);
    expect(calls).toHaveLength(0);
    expect(executor.running()).toEqual([]);
  });

  test('holds no slot for longer than deadline and grace', async () => {
    const { claim, executor, requestOf, clock } = createClaimed();
    const { types } = claim(requestOf('held', {}, { timeoutMs: 100 }));
    await clock.advance(5100);
    expect(types()).toEqual(['accepted']);
    expect(executor.running()).toEqual([]);
  });

  test('is dropped when the runner is aborted', async () => {
    const { claim, executor, clock } = createClaimed();
    const { types } = claim();
    executor.abort();
    await clock.advance(60_000);
    expect(types()).toEqual(['accepted']);
    expect(executor.running()).toEqual([]);
  });
});
