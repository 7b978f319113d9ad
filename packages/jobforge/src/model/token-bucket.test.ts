import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTokenBucket, stricterLimit } from './token-bucket.js';

const LIMIT = { limit: 3, intervalMs: 1_000 };

describe('a token bucket', () => {
  it('lets the limit through at once, and then one at a time', () => {
    const bucket = createTokenBucket(LIMIT, undefined);
    for (let count = 0; count < 3; count += 1) {
      expect(bucket.admits(0)).toBe(true);
      bucket.take(0);
    }
    expect(bucket.admits(0)).toBe(false);
    expect(bucket.nextAt(0)).toBe(334);
    expect(bucket.admits(333)).toBe(false);
    expect(bucket.admits(334)).toBe(true);
  });

  it('saves up no more than the limit, and loses nothing to a clock that is set back', () => {
    const bucket = createTokenBucket(LIMIT, { tokens: 0, at: 5_000 });
    expect(bucket.admits(1_000)).toBe(false);
    expect(bucket.level(60_000).tokens).toBe(3);
  });

  it('keeps what was used when its limit changes', () => {
    const bucket = createTokenBucket(LIMIT, undefined);
    bucket.take(0);
    bucket.setLimit({ limit: 1, intervalMs: 1_000 }, 0);
    expect(bucket.admits(0)).toBe(false);
    expect(bucket.nextAt(0)).toBe(1_000);
  });

  it('never lets more through than the limit and what has flowed in since, and never waits longer than it must', () => {
    const limits = fc.record({
      limit: fc.integer({ min: 1, max: 50 }),
      intervalMs: fc.integer({ min: 1, max: 5_000 }),
    });
    const steps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 60 });
    fc.assert(
      fc.property(limits, steps, (limit, waits) => {
        const bucket = createTokenBucket(limit, undefined);
        let [now, passed] = [0, 0];
        for (const wait of waits) {
          now += wait;
          while (bucket.admits(now)) {
            bucket.take(now);
            passed += 1;
          }
          expect(passed).toBeLessThanOrEqual(limit.limit + (now * limit.limit) / limit.intervalMs + 1e-3);
          expect(bucket.admits(bucket.nextAt(now))).toBe(true);
        }
      }),
    );
  });
});

it('calls the limit stricter that lets fewer through in the long run', () => {
  const slow = { limit: 10, intervalMs: 60_000 };
  expect(stricterLimit(LIMIT, slow)).toBe(slow);
  expect(stricterLimit({ limit: 6, intervalMs: 2_000 }, LIMIT)).toBe(LIMIT);
});
