/**
 * @module
 * Small tools without a word of the domain: time, chance, text. Imports nothing of this package outside
 * this room.
 */

/** What a pending timer is known by. */
export type TimerHandle = object | number;

/** Where time comes from, so that tests need not wait for it. */
export interface Clock {
  /** Milliseconds since 1970, as a calendar shows them. */
  now(): number;
  /** Milliseconds since some moment, never going back: for durations. */
  elapsed(): number;
  setTimeout(callback: () => void, delayMs: number): TimerHandle;
  clearTimeout(handle: TimerHandle): void;
}

/** What a timer of Node can hold; it fires a longer one at once. */
export const MAX_TIMER_MS = 2_147_483_647;

/** The machine's own time. A timer waits 24.8 days at most. */
export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
  setTimeout: (callback, delayMs) => setTimeout(callback, Math.min(delayMs, MAX_TIMER_MS)),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/**
 * Waits, or stops waiting when told to.
 * @returns true when the time has passed, false when the signal ended the wait
 */
export function sleep(clock: Clock, delayMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const stop = (): void => {
      clock.clearTimeout(timer);
      resolve(false);
    };
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve(true);
    }, delayMs);
    signal.addEventListener('abort', stop, { once: true });
  });
}

/**
 * Writes a clock's time as ISO 8601. The text of the last millisecond is kept: many events share one.
 * @param clock - where the time comes from
 */
export function createTimestamps(clock: Clock): () => string {
  let lastMs = Number.NaN;
  let text = '';
  return () => {
    const nowMs = clock.now();
    if (nowMs !== lastMs) {
      lastMs = nowMs;
      text = new Date(nowMs).toISOString();
    }
    return text;
  };
}
