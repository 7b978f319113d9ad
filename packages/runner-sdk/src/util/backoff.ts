/** Bounds of the delay between attempts, in milliseconds. */
export interface BackoffBounds {
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * The delay before the next attempt, by full jitter: anything between `minMs` and a ceiling that doubles
 * with each attempt, so that many clients do not come back in step.
 * @param attempt - 0 before the first retry
 * @param bounds - the shortest delay and the highest ceiling
 * @param random - a number in [0, 1)
 */
export function backoffMs(attempt: number, bounds: BackoffBounds, random: number): number {
  const ceilingMs = Math.min(bounds.maxMs, bounds.minMs * 2 ** Math.min(attempt + 1, 30));
  return Math.round(bounds.minMs + (ceilingMs - bounds.minMs) * random);
}
