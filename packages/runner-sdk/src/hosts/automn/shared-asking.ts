import { sleep, type Clock } from '../../util/clock.js';
import type { Outcome } from './heartbeat.js';

/** Milliseconds between two registrations that anybody may ask for: each costs the control plane a password's hash. */
const SHARED_MS = 1_000;
const NEVER = new AbortController().signal;

/** Makes one registration of all that are asked for at the same time, and of these no more than one a second. */
export function createShared(clock: Clock, ask: () => Promise<Outcome>): () => Promise<Outcome> {
  let next = Number.NEGATIVE_INFINITY;
  let asking: Promise<Outcome> | undefined;
  async function inTurn(): Promise<Outcome> {
    const delayMs = next - clock.elapsed();
    if (delayMs > 0) await sleep(clock, delayMs, NEVER);
    try {
      return await ask();
    } finally {
      next = clock.elapsed() + SHARED_MS;
      asking = undefined;
    }
  }
  return () => (asking ??= inTurn());
}
