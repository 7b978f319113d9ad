import { describe, expect, it } from 'vitest';
import { calculateRetryDelay, RetryPolicy, shouldRetry } from './retry-policy.js';

const policy = RetryPolicy.parse({});
const failure = { retryable: true, category: 'RUNTIME_ERROR', severity: 'error' } as const;

describe('shouldRetry', () => {
  it.each([
    ['a retryable category', failure, true],
    ['what calls itself not retryable', { ...failure, retryable: false }, false],
    ['a non-retryable category', { ...failure, category: 'VALIDATION_ERROR' } as const, false],
    ['a category that neither list names', { ...failure, category: 'RUNNER_ERROR' } as const, true],
    ['a fatal error that neither list names', { ...failure, category: 'RUNNER_ERROR', severity: 'fatal' } as const, false],
  ])('%s', (_, error, expected) => {
    expect(shouldRetry(error, policy)).toBe(expected);
  });
});

describe('calculateRetryDelay', () => {
  it('doubles to its maximum', () => {
    expect([0, 1, 2, 3, 4, 5, 50].map((attempt) => calculateRetryDelay(attempt, policy))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 30_000, 30_000,
    ]);
  });

  it('spreads over the upper half', () => {
    expect(calculateRetryDelay(0, policy, { random: 0 })).toBe(500);
    expect(calculateRetryDelay(0, policy, { random: 0.999 })).toBe(1000);
  });

  it.each([
    ['no backoff, for ever multiplied', { backoffMs: 0, backoffMultiplier: 1e300 }, {}, 0],
    ['a maximum beyond what a timer holds', { backoffMs: 1e15, maxBackoffMs: 1e15 }, {}, 2_147_483_647],
    ['a wait beyond what a date holds', {}, { retryAfter: 1e300 }, 2_147_483_647],
  ])('is a number that a timer can hold: %s', (_, changes, options, expected) => {
    expect(calculateRetryDelay(5, RetryPolicy.parse(changes), options)).toBe(expected);
  });

  it('is never shorter than what the failed side asked for', () => {
    expect(calculateRetryDelay(0, policy, { retryAfter: 7 })).toBe(7000);
    expect(calculateRetryDelay(5, policy, { retryAfter: 7 })).toBe(30_000);
  });
});
