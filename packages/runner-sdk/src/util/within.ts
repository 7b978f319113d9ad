import { sleep, systemClock } from './clock.js';

/** Waits for a promise, and not longer than so many milliseconds of the machine's own time. */
export async function within(limitMs: number, promise: Promise<unknown>): Promise<void> {
  const settled = new AbortController();
  await Promise.race([promise.catch(() => undefined), sleep(systemClock, limitMs, settled.signal)]);
  settled.abort();
}
