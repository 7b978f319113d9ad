import { describe, expect, it } from 'vitest';
import { envelopeOf } from './error-envelope.js';
import { calculateRetryDelay, errorOfWriting, RetryPolicy, shouldRetry } from './retry-policy.js';

const policy = RetryPolicy.parse({});
const failure = { retryable: true, category: 'RUNTIME_ERROR', severity: 'error' } as const;

describe('shouldRetry', () => {
  it.each([
    ['a retryable category', failure, true],
    ['what calls itself not retryable', { ...failure, retryable: false }, false],
    ['a non-retryable category', { ...failure, category: 'VALIDATION_ERROR' } as const, false],
    ['a category that neither list names', { ...failure, category: 'RUNNER_ERROR' } as const, true],
    [
      'a fatal error that neither list names',
      { ...failure, category: 'RUNNER_ERROR', severity: 'fatal' } as const,
      false,
    ],
  ])('%s', (_, error, expected) => {
    expect(shouldRetry(error, policy)).toBe(expected);
  });
});

describe('errorOfWriting', () => {
  it.each(['EXECUTION_TIMEOUT', 'EXECUTION_CRASHED', 'RUNNER_SHUTDOWN'] as const)(
    'makes %s final, and says why',
    (code) => {
      const error = errorOfWriting(envelopeOf(code, { service: 's', message: 'It was cut short' }), true);
      expect(error).toMatchObject({ code, retryable: false });
      expect(error.message).toBe('It was cut short. It may have written, and is not run again.');
    },
  );

  it.each([
    ['what the handler threw', envelopeOf('EXECUTION_FAILED', { service: 's' })],
    ['what is final anyway', envelopeOf('EXECUTION_TIMEOUT', { service: 's', retryable: false })],
  ])('leaves %s as it is', (_, error) => {
    expect(errorOfWriting(error, true)).toBe(error);
  });
});

it('a shutdown hands back what has not announced that it writes', () => {
  const error = envelopeOf('RUNNER_SHUTDOWN', { service: 's' });
  expect(errorOfWriting(error, false)).toBe(error);
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
    {
      why: 'no backoff, for ever multiplied',
      changes: { backoffMs: 0, backoffMultiplier: 1e300 },
      expected: 0,
    },
    { why: 'a maximum too far', changes: { backoffMs: 1e15, maxBackoffMs: 1e15 }, expected: 2_147_483_647 },
    { why: 'a wait too long', changes: {}, retryAfter: 1e300, expected: 2_147_483_647 },
  ])('is a number that a timer can hold: $why', ({ changes, retryAfter, expected }) => {
    expect(calculateRetryDelay(5, RetryPolicy.parse(changes), { retryAfter })).toBe(expected);
  });

  it('is never shorter than what the failed side asked for', () => {
    expect(calculateRetryDelay(0, policy, { retryAfter: 7 })).toBe(7000);
    expect(calculateRetryDelay(5, policy, { retryAfter: 7 })).toBe(30_000);
  });
});
