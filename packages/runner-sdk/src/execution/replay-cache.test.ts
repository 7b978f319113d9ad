import { expect, test } from 'vitest';
import { createVirtualClock } from '../util/virtual-clock.js';
import {
  createEventChannel,
  emitAccepted,
  emitProgress,
  emitTerminal,
  eventsFrom,
  type EventChannel,
} from './event-channel.js';
import { createReplayCache, type ReplayLimits } from './replay-cache.js';

const at = '2026-01-01T00:00:00.000Z';

function ended(executionId: string, data: unknown = 1) {
  const channel = createEventChannel(executionId);
  emitAccepted(channel, at);
  emitProgress(channel, { fraction: 0.5, message: 'one', at });
  emitTerminal(
    channel,
    { type: 'succeeded', executionId, seq: 2, at, executionTimeMs: 1, data },
    JSON.stringify(data),
  );
  return channel;
}

/** A cache that is asked at one moment, where none is named. */
function cacheOf(given: ReplayLimits) {
  const cache = createReplayCache(given);
  return {
    get: (id: string, nowMs = 5) => cache.get(id, nowMs),
    put: (channel: EventChannel, nowMs = 5) => cache.put(channel, nowMs),
    size: () => cache.size,
  };
}

const limits = { maxCount: 100, maxBytes: 1e6, maxAgeMs: 1000 };

test('gives back every event of an execution, and its result as JSON', () => {
  const cache = cacheOf(limits);
  const channel = ended('e1', { text: 'ü', list: [1] });
  cache.put(channel);
  const found = cache.get('e1');
  expect(found && eventsFrom(found, 0)).toEqual(eventsFrom(channel, 0));
  expect(found).toMatchObject({ dataJson: '{"text":"ü","list":[1]}', nextSeq: 3 });
  expect(cache.get('e2')).toBeUndefined();
});

test('gives back an execution that did nothing but succeed', () => {
  const cache = cacheOf(limits);
  const channel = createEventChannel('e1');
  emitAccepted(channel, at);
  const terminal = {
    type: 'succeeded',
    executionId: 'e1',
    seq: 1,
    at,
    executionTimeMs: 1.5,
    runnerId: 'r1',
    data: [1],
  } as const;
  emitTerminal(channel, { ...terminal, data: [1] }, '[1]');
  cache.put(channel);
  const found = cache.get('e1');
  expect(found && eventsFrom(found, 0)).toEqual(eventsFrom(channel, 0));
  expect(found).toMatchObject({ dataJson: '[1]', nextSeq: 2 });
});

test('forgets the oldest first when there are too many, and keeps at least the last half', () => {
  const cache = cacheOf({ ...limits, maxCount: 6 });
  for (let index = 0; index < 10_000; index++) {
    cache.put(ended(`e${index}`));
    expect(cache.size()).toBeLessThanOrEqual(6);
    expect(cache.get(`e${Math.max(0, index - 2)}`)).toBeDefined();
  }
  expect(cache.get('e9993')).toBeUndefined();
});

test('forgets the oldest first when they take too many bytes', () => {
  const cache = cacheOf({ ...limits, maxBytes: 5000 });
  for (let index = 0; index < 10; index++) cache.put(ended(`e${index}`, 'x'.repeat(1000)));
  expect(cache.size()).toBe(2);
  expect(cache.get('e9')).toBeDefined();
});

test('does not remember one that takes more than half of the bytes', () => {
  const cache = cacheOf({ ...limits, maxBytes: 5000 });
  cache.put(ended('e1'));
  cache.put(ended('large', 'x'.repeat(9000)));
  expect([cache.get('large'), cache.get('e1') !== undefined]).toEqual([undefined, true]);
});

test('forgets what is too old', async () => {
  const clock = createVirtualClock();
  const cache = cacheOf(limits);
  cache.put(ended('e1'), clock.elapsed());
  await clock.advance(1000);
  expect(cache.get('e1', clock.elapsed())).toBeDefined();
  await clock.advance(1);
  expect(cache.get('e1', clock.elapsed())).toBeUndefined();
});

test('keeps the later of two endings under one id', async () => {
  const clock = createVirtualClock();
  const cache = cacheOf(limits);
  cache.put(ended('e1', 'first'), clock.elapsed());
  await clock.advance(1001);
  cache.put(ended('e1', 'second'), clock.elapsed());
  expect(cache.get('e1', clock.elapsed())?.dataJson).toBe('"second"');
});
