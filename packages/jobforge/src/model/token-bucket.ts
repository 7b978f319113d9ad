import type { RateLimit } from '@controlplane/contracts';

/** How full a bucket was at a time. */
export interface BucketLevel {
  readonly tokens: number;
  readonly at: number;
}

/** Lets so many through in a time. What was not used is saved up to the limit. */
export interface TokenBucket {
  readonly limit: RateLimit;
  admits(now: number): boolean;
  take(now: number): void;
  /** When the next one may go through, as things are. */
  nextAt(now: number): number;
  level(now: number): BucketLevel;
  /** Changes the limit; what was used stays used. */
  setLimit(limit: RateLimit, now: number): void;
}

/** Parts of a token that rounding may lose. */
const ROUNDING = 1e-6;

/** @param from - how full it is at its start; full by default */
export function createTokenBucket(given: RateLimit, from: BucketLevel | undefined): TokenBucket {
  let limit = given;
  let tokens = Math.min(from?.tokens ?? limit.limit, limit.limit);
  let at = from?.at ?? -Infinity;
  const tokensAt = (now: number): number => {
    // A clock that was set back takes nothing away.
    const gained = now > at ? ((now - at) * limit.limit) / limit.intervalMs : 0;
    return Math.min(limit.limit, tokens + gained);
  };
  const fill = (now: number): void => {
    tokens = tokensAt(now);
    at = Math.max(at, now);
  };
  return {
    get limit() {
      return limit;
    },
    admits: (now) => tokensAt(now) >= 1 - ROUNDING,
    take(now) {
      fill(now);
      tokens -= 1;
    },
    nextAt(now) {
      const lacking = 1 - ROUNDING - tokensAt(now);
      return lacking <= 0 ? now : Math.max(now, at) + Math.ceil((lacking * limit.intervalMs) / limit.limit);
    },
    level: (now) => ({ tokens: tokensAt(now), at: Math.max(at, now) }),
    setLimit(next, now) {
      if (next.limit === limit.limit && next.intervalMs === limit.intervalMs) return;
      fill(now);
      const used = limit.limit - tokens;
      tokens = Math.max(0, next.limit - used);
      limit = next;
    },
  };
}

/** The stricter of two limits: fewer in the long run, then fewer at once. */
export function stricterLimit(left: RateLimit, right: RateLimit): RateLimit {
  const difference = left.limit / left.intervalMs - right.limit / right.intervalMs;
  if (difference !== 0) return difference < 0 ? left : right;
  return left.limit <= right.limit ? left : right;
}
