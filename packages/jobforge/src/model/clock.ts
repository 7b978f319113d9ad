/** Time as a parameter: tests advance it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `wake` once after `delayMs`; the returned function prevents that. Does not keep the process alive. */
  after(delayMs: number, wake: () => void): () => void;
}

/** What a timer can hold: longer waits wake early and wait again. */
const MAX_DELAY_MS = 2_147_483_647;

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, wake) {
    const timer = setTimeout(wake, Math.min(Math.max(delayMs, 0), MAX_DELAY_MS));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
