import type { Clock } from '../model/clock.js';

/** Counts what was refused, so that guessing and loops cost whoever does it, and nobody else. */
export interface FailureLimit {
  /** Milliseconds until this key may try again; 0 where it may now. */
  waitMs(key: string): number;
  failed(key: string): void;
}

interface Window {
  count: number;
  readonly endsAt: number;
}

/** Keys that are remembered: the oldest are forgotten first. */
const MAX_KEYS = 10_000;

/** Allows each key so many failures in a minute. */
export function createFailureLimit({
  clock,
  maxFailures,
  windowMs = 60_000,
}: {
  readonly clock: Clock;
  readonly maxFailures: number;
  readonly windowMs?: number;
}): FailureLimit {
  const windows = new Map<string, Window>();
  const current = (key: string): Window | undefined => {
    const window = windows.get(key);
    if (window === undefined || window.endsAt > clock.now()) return window;
    windows.delete(key);
    return undefined;
  };
  return {
    waitMs(key) {
      const window = current(key);
      return window !== undefined && window.count >= maxFailures ? window.endsAt - clock.now() : 0;
    },
    failed(key) {
      const window = current(key);
      if (window !== undefined) {
        window.count += 1;
        return;
      }
      const [oldest] = windows.keys();
      if (windows.size >= MAX_KEYS && oldest !== undefined) windows.delete(oldest);
      windows.set(key, { count: 1, endsAt: clock.now() + windowMs });
    },
  };
}
