import { describe, expect, test, vi } from 'vitest';
import { sleep } from './clock.js';
import { createVirtualClock } from './virtual-clock.js';

const never = new AbortController().signal;

describe('advance', () => {
  test('runs timers in the order of their time, then of their making', async () => {
    const clock = createVirtualClock();
    const seen: string[] = [];
    clock.setTimeout(() => seen.push(`second@${clock.elapsed()}`), 10);
    clock.setTimeout(() => seen.push(`first@${clock.elapsed()}`), 5);
    clock.setTimeout(() => seen.push(`third@${clock.elapsed()}`), 10);
    await clock.advance('1s');
    expect(seen).toEqual(['first@5', 'second@10', 'third@10']);
    expect(clock.elapsed()).toBe(1_000);
    expect(clock.now()).toBe(Date.UTC(2026, 0, 1) + 1_000);
  });

  test('reaches code that awaits between timers, through promises and turns of the event loop', async () => {
    const clock = createVirtualClock();
    const seen: number[] = [];
    const walk = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await sleep(clock, 10_000, never);
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(clock.elapsed());
      }
    };
    const walked = walk();
    await clock.advance('30s');
    expect(seen).toEqual([10_000, 20_000, 30_000]);
    await walked;
  });

  test('a timer that is cleared does not run, cleared by another in the same millisecond too', async () => {
    const clock = createVirtualClock();
    const seen: string[] = [];
    clock.setTimeout(() => clock.clearTimeout(late), 10);
    const late = clock.setTimeout(() => seen.push('late'), 10);
    await clock.advance(10);
    expect(seen).toEqual([]);
    expect(clock.pending()).toBe(0);
  });

  test('may be called from what a timer starts, and by two at once', async () => {
    const clock = createVirtualClock();
    const seen: number[] = [];
    clock.setTimeout(() => void clock.advance(50).then(() => seen.push(clock.elapsed())), 10);
    await Promise.all([clock.advance(20), clock.advance(30)]);
    await clock.settle();
    expect(seen).toEqual([60]);
    expect(clock.elapsed()).toBe(60);
  });

  test('goes on while the global timers are faked', async () => {
    vi.useFakeTimers();
    try {
      const clock = createVirtualClock();
      const done = sleep(clock, 1_000, never);
      await clock.advance('1s');
      expect(await done).toBe(true);
    } finally {
      vi.useRealTimers();
    }
  });

  test('takes two thousand timers in their order', async () => {
    const clock = createVirtualClock();
    let last = -1;
    let outOfOrder = 0;
    for (let index = 0; index < 2_000; index++) {
      const dueMs = (index * 7919) % 2_003;
      clock.setTimeout(() => {
        if (dueMs < last) outOfOrder++;
        last = dueMs;
      }, dueMs);
    }
    await clock.advance('3s');
    expect([outOfOrder, clock.pending()]).toEqual([0, 0]);
  });
});

describe('advanceUntil', () => {
  test('stops where the promise settles', async () => {
    const clock = createVirtualClock();
    clock.setTimeout(() => undefined, 5_000);
    expect(await clock.advanceUntil(sleep(clock, 1_234, never))).toBe(true);
    expect(clock.elapsed()).toBe(1_234);
  });

  test('rejects with what the promise rejects with', async () => {
    const clock = createVirtualClock();
    const failing = sleep(clock, 10, never).then(() => {
      throw new TypeError('no');
    });
    await expect(clock.advanceUntil(failing)).rejects.toThrow(TypeError);
  });

  test('says that the time is over, and that nothing waits for the clock', async () => {
    const clock = createVirtualClock();
    const endless = new Promise<never>(() => undefined);
    await expect(clock.advanceUntil(endless, '1m')).rejects.toThrow(
      'within 60000 ms of virtual time (0 timers',
    );
    void sleep(clock, 3_600_000, never);
    await expect(clock.advanceUntil(endless, '1m')).rejects.toThrow(
      'within 60000 ms of virtual time (1 timers',
    );
  });
});
