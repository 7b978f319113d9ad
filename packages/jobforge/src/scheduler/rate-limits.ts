import type { RateLimit } from '@controlplane/contracts';
import type { RateGate } from '../model/placement.js';
import { createTokenBucket, type BucketLevel, type TokenBucket } from '../model/token-bucket.js';
import type { Clock } from '../model/clock.js';
import type { StoreOperation, StoredRecord } from '../store/store.js';
import { iso } from './job-views.js';

/** How often the executions of a capability may begin. */
export interface CapabilityRate extends RateGate {
  /** One begins. */
  take(): void;
  /** When the next one may. */
  nextAt(now: number): number;
}

/** The rates that capabilities are held to. */
export interface RateLimits {
  /** The rate of a capability: as it is configured, else as it is declared; undefined where it has none. */
  of(capabilityId: string, declared: RateLimit | undefined): CapabilityRate | undefined;
  /** Puts back how much had been used when JobForge stopped. */
  restore(records: readonly StoredRecord[]): void;
}

export interface RateLimitOptions {
  readonly configured: Readonly<Record<string, RateLimit>>;
  readonly clock: Clock;
  readonly keep: (operation: StoreOperation) => void;
  readonly later: (at: number, due: () => void) => void;
}

export const RATE_LIMITS = 'rate-limits';

/** The level of a rate whose executions come closer than this is written only now and then. */
const SLOW_MS = 100;
const WRITE_MS = 1_000;

const isSlow = ({ limit, intervalMs }: RateLimit): boolean => intervalMs / limit >= SLOW_MS;

interface StoredLevel extends BucketLevel {
  readonly limit: RateLimit;
}

/** What was left when JobForge stopped. Where that was not written each time, nothing is taken to be left. */
function levelAfter({ tokens, at, limit }: StoredLevel): BucketLevel {
  return { tokens: isSlow(limit) ? tokens : 0, at };
}

function createRate(
  id: string,
  bucket: TokenBucket,
  { clock, keep, later }: RateLimitOptions,
): CapabilityRate {
  let writtenAt = -Infinity;
  let waiting = false;
  const write = (): void => {
    waiting = false;
    writtenAt = clock.now();
    const record = JSON.stringify({ ...bucket.level(writtenAt), limit: bucket.limit } satisfies StoredLevel);
    keep({ kind: 'put-record', collection: RATE_LIMITS, id, record });
  };
  return {
    admits: (now) => bucket.admits(now),
    nextAt: (now) => bucket.nextAt(now),
    words(now) {
      const { limit, intervalMs } = bucket.limit;
      return `may begin ${limit} of ${id} in ${intervalMs} ms, the next at ${iso(bucket.nextAt(now))}`;
    },
    take() {
      const now = clock.now();
      bucket.take(now);
      if (isSlow(bucket.limit) || now - writtenAt >= WRITE_MS) return write();
      if (waiting) return;
      waiting = true;
      later(writtenAt + WRITE_MS, write);
    },
  };
}

export function createRateLimits(options: RateLimitOptions): RateLimits {
  const { configured, clock } = options;
  const restored = new Map<string, BucketLevel>();
  const rates = new Map<string, { readonly bucket: TokenBucket; readonly rate: CapabilityRate }>();
  return {
    of(id, declared) {
      const limit = Object.hasOwn(configured, id) ? configured[id] : declared;
      if (limit === undefined) return undefined;
      let known = rates.get(id);
      if (known === undefined) {
        const bucket = createTokenBucket(limit, restored.get(id));
        rates.set(id, (known = { bucket, rate: createRate(id, bucket, options) }));
      }
      known.bucket.setLimit(limit, clock.now());
      return known.rate;
    },
    restore(records) {
      for (const { id, record } of records) restored.set(id, levelAfter(JSON.parse(record) as StoredLevel));
    },
  };
}
