import { describe, expect, it } from 'vitest';
import { afterPost, delayAfter } from './delivery-plan.js';

const refused = (status: number, retryAfterMs?: number) =>
  ({ kind: 'refused', status, retryAfterMs }) as const;
const at = (attempts: number) => ({ attempts, maxAttempts: 3, random: 1 });

describe('after an attempt to tell', () => {
  it.each([
    ['what was taken is done', { kind: 'told' } as const, 1, { kind: 'done' }],
    [
      'what failed is told again',
      refused(500),
      1,
      { kind: 'again', delayMs: 5_000, why: 'answered with status 500' },
    ],
    [
      'a redirect is a failure',
      refused(302),
      2,
      { kind: 'again', delayMs: 20_000, why: 'answered with status 302' },
    ],
    [
      'the time that is asked for is waited',
      refused(429, 60_000),
      1,
      { kind: 'again', delayMs: 60_000, why: 'answered with status 429' },
    ],
    ['410 is the last word', refused(410), 1, { kind: 'give-up', why: 'answered with status 410' }],
    [
      'the last attempt was the last',
      { kind: 'failed', message: 'refused' } as const,
      3,
      { kind: 'give-up', why: 'refused' },
    ],
  ])('%s', (...[, outcome, attempts, step]) => {
    expect(afterPost(outcome, at(attempts))).toEqual(step);
  });

  it('nine attempts take half a day to a day', () => {
    const total = (random: number): number =>
      Array.from({ length: 8 }, (_, index) => delayAfter(index + 1, random)).reduce(
        (sum, delay) => sum + delay,
        0,
      );
    expect(total(1) / 3_600_000).toBeCloseTo(13.6, 1);
    expect(total(0) / 3_600_000).toBeCloseTo(6.8, 1);
  });
});
