import { envelopeOf, RetryPolicy, type ErrorCode } from '@controlplane/contracts';
import { describe, expect, it } from 'vitest';
import { afterFailure, afterLoss } from './retry.js';

const policy = RetryPolicy.parse({ maxRetries: 2, backoffMs: 100, maxBackoffMs: 1_000 });
const history = (retries: number, random = 1) => ({ policy, retries, random });
const error = (code: ErrorCode, overrides = {}) => envelopeOf(code, { service: 't', ...overrides });

describe('after a failure', () => {
  it.each([
    ['a transient one is tried again', error('EXECUTION_FAILED'), 0, { kind: 'retry', delayMs: 100 }],
    ['the delay grows', error('EXECUTION_FAILED'), 1, { kind: 'retry', delayMs: 200 }],
    ['the last retry was the last', error('EXECUTION_FAILED'), 2, { kind: 'fail' }],
    ['a permanent one fails', error('OUTPUT_INVALID'), 0, { kind: 'fail' }],
    [
      'retryAfter is honoured',
      error('EXECUTION_FAILED', { retryAfter: 7 }),
      0,
      { kind: 'retry', delayMs: 7_000 },
    ],
    [
      'no part of a millisecond is left',
      error('EXECUTION_FAILED', { retryAfter: 1.0001 }),
      0,
      { kind: 'retry', delayMs: 1_001 },
    ],
    ['a shutdown costs nothing', error('RUNNER_SHUTDOWN'), 2, { kind: 'requeue' }],
    [
      'a shutdown after which nothing may be repeated is final',
      error('RUNNER_SHUTDOWN', { retryable: false }),
      0,
      { kind: 'fail' },
    ],
    ['a timeout is tried again', error('EXECUTION_TIMEOUT'), 0, { kind: 'retry', delayMs: 100 }],
    [
      'a category that is never retried fails',
      error('EXECUTION_FAILED', { category: 'VALIDATION_ERROR' }),
      0,
      { kind: 'fail' },
    ],
  ])('%s', (...[, envelope, retries, step]) => {
    expect(afterFailure(envelope, history(retries))).toEqual(step);
  });

  it('spreads the delay over its upper half', () => {
    expect(afterFailure(error('EXECUTION_FAILED'), history(0, 0))).toEqual({ kind: 'retry', delayMs: 50 });
  });
});

describe('after a loss', () => {
  it.each([
    ['what may be repeated is, at once', false, 0, { kind: 'retry', delayMs: 0 }],
    ['what writes fails', true, 0, { kind: 'fail' }],
    ['attempts are counted', false, 2, { kind: 'fail' }],
  ] as const)('%s', (...[, writes, retries, step]) => {
    expect(afterLoss(writes, history(retries))).toEqual(step);
  });
});
