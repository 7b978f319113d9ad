import { expect, test, vi } from 'vitest';
import { createTimestamps, sleep, systemClock } from './clock.js';
import { createVirtualClock } from './virtual-clock.js';

test('a virtual clock runs timers in the order in which they fall due, and what they start', async () => {
  const clock = createVirtualClock();
  const seen: string[] = [];
  clock.setTimeout(() => seen.push(`b@${clock.elapsed()}`), 20);
  clock.setTimeout(() => {
    seen.push(`a@${clock.elapsed()}`);
    clock.setTimeout(() => seen.push(`c@${clock.elapsed()}`), 15);
  }, 10);
  await clock.advance(24);
  expect(seen).toEqual(['a@10', 'b@20']);
  await clock.advance(1);
  expect(seen).toEqual(['a@10', 'b@20', 'c@25']);
});

test('a sleep ends with its time, or at once when it is stopped, and leaves no timer', async () => {
  const clock = createVirtualClock();
  const stop = new AbortController();
  const slept = sleep(clock, 10, stop.signal);
  await clock.advance(10);
  expect(await slept).toBe(true);
  const stopped = sleep(clock, 1000, stop.signal);
  stop.abort();
  expect(await stopped).toBe(false);
  expect(clock.pending()).toBe(0);
  expect(await sleep(clock, 1000, stop.signal)).toBe(false);
});

test('timestamps follow the clock', async () => {
  const clock = createVirtualClock(Date.UTC(2026, 0, 31));
  const timestamp = createTimestamps(clock);
  expect([timestamp(), timestamp()]).toEqual(['2026-01-31T00:00:00.000Z', '2026-01-31T00:00:00.000Z']);
  await clock.advance(5);
  expect(timestamp()).toBe('2026-01-31T00:00:00.005Z');
});

test('a timer longer than the machine can hold waits as long as it can', () => {
  const spy = vi.spyOn(globalThis, 'setTimeout');
  systemClock.clearTimeout(systemClock.setTimeout(() => undefined, 2 ** 40));
  const [, delayMs] = spy.mock.calls.at(-1) ?? [];
  spy.mockRestore();
  expect(delayMs).toBe(2_147_483_647);
});
