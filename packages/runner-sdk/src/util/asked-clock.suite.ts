import { createVirtualClock, type VirtualClock } from './virtual-clock.js';

/** A virtual clock that tells for how long it was asked to wait: a test then moves it no sooner than that. */
export interface AskedClock extends VirtualClock {
  /** Every delay that was asked for, in order. */
  readonly delays: readonly number[];
  /** The next delay that matches. */
  asked(matches: (delayMs: number) => boolean): Promise<number>;
}

/** Makes one that stands still. */
export function createAskedClock(): AskedClock {
  const clock = createVirtualClock();
  const delays: number[] = [];
  const waiters: Array<{ matches: (delayMs: number) => boolean; resolve: (delayMs: number) => void }> = [];
  return {
    ...clock,
    delays,
    asked: (matches) => new Promise((resolve) => waiters.push({ matches, resolve })),
    setTimeout(callback, delayMs) {
      delays.push(delayMs);
      for (const waiter of waiters.filter(({ matches }) => matches(delayMs))) {
        waiters.splice(waiters.indexOf(waiter), 1);
        waiter.resolve(delayMs);
      }
      return clock.setTimeout(callback, delayMs);
    },
  };
}
