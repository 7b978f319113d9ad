import type { Clock } from '../model/clock.js';

/** A clock that a test moves. */
export interface ManualClock extends Clock {
  /** Moves the time and wakes whoever waited for less. */
  advance(ms: number): void;
}

export function createManualClock(start = 1_000_000): ManualClock {
  let now = start;
  let timers: { at: number; wake: () => void }[] = [];
  return {
    now: () => now,
    after(delayMs, wake) {
      const timer = { at: now + delayMs, wake };
      timers.push(timer);
      return () => void (timers = timers.filter((other) => other !== timer));
    },
    advance(ms) {
      const until = now + ms;
      for (;;) {
        const next = timers.filter(({ at }) => at <= until).sort((left, right) => left.at - right.at)[0];
        if (next === undefined) break;
        timers = timers.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.wake();
      }
      now = until;
    },
  };
}
