import { z } from 'zod';
import { ErrorCategory, type ErrorCode } from './error-codes.js';
import type { ErrorEnvelope } from './error-envelope.js';

/** How often and after which errors a job is tried again. */
export const RetryPolicy = z.object({
  /** Attempts after the first one. */
  maxRetries: z.number().int().min(0).max(1000).default(3),
  backoffMs: z.number().int().nonnegative().default(1000),
  maxBackoffMs: z.number().int().nonnegative().default(30_000),
  backoffMultiplier: z.number().min(1).default(2),
  retryableCategories: z
    .array(ErrorCategory)
    .default(['TIMEOUT', 'NETWORK_ERROR', 'SERVICE_UNAVAILABLE', 'RUNTIME_ERROR']),
  nonRetryableCategories: z
    .array(ErrorCategory)
    .default([
      'VALIDATION_ERROR',
      'SCHEMA_MISMATCH',
      'AUTHENTICATION_ERROR',
      'AUTHORIZATION_ERROR',
      'RESOURCE_NOT_FOUND',
    ]),
});
export type RetryPolicy = z.infer<typeof RetryPolicy>;

/** How an execution ends that its handler did not bring to an end. */
const CUT_SHORT: ReadonlySet<string> = new Set<ErrorCode>(['EXECUTION_TIMEOUT', 'EXECUTION_CRASHED']);

/**
 * The error of an execution that may have written what must not be written twice (effects `writes`). Where it was cut
 * short, nobody knows how far it had come: it is not tried again. What its handler said itself stands as it is.
 * @param isAnnounced - it has said that it writes. A shutdown hands back what has not: its handler was told in time
 */
export function errorOfWriting(error: ErrorEnvelope, isAnnounced: boolean): ErrorEnvelope {
  const isCut = CUT_SHORT.has(error.code) || (isAnnounced && error.code === 'RUNNER_SHUTDOWN');
  if (!isCut || !error.retryable) return error;
  const message = `${error.message.replace(/\.?$/, '.')} It may have written, and is not run again.`;
  return { ...error, message, retryable: false };
}

/**
 * Whether an error is worth another attempt: the envelope's own `retryable: false` decides first, then
 * the policy's non-retryable categories, then its retryable ones; what neither names is retried unless
 * it is fatal. Counting attempts is the caller's part.
 */
export function shouldRetry(
  error: Pick<ErrorEnvelope, 'retryable' | 'category' | 'severity'>,
  policy: RetryPolicy,
): boolean {
  if (!error.retryable) return false;
  if (policy.nonRetryableCategories.includes(error.category)) return false;
  if (policy.retryableCategories.includes(error.category)) return true;
  return error.severity !== 'fatal';
}

/** What may change a delay beside the attempt and the policy. */
export interface RetryDelayOptions {
  /** Seconds that the failed side asked for; the delay is never shorter. */
  readonly retryAfter?: number | undefined;
  /** A number in [0, 1): spreads the delay over its upper half. Without it the delay is exact. */
  readonly random?: number;
}

/** What a timer can hold. */
const LONGEST_MS = 2_147_483_647;

/**
 * Milliseconds to wait before the next attempt; at most 2^31 − 1 (24.8 days).
 * @param attempt - 0 before the first retry
 * @param policy - its `backoffMs × backoffMultiplier^attempt`, at most `maxBackoffMs`
 */
export function calculateRetryDelay(
  attempt: number,
  policy: RetryPolicy,
  options: RetryDelayOptions = {},
): number {
  // The power may be infinite, and 0 × ∞ is no number.
  const grown = policy.backoffMs === 0 ? 0 : policy.backoffMs * policy.backoffMultiplier ** attempt;
  const exact = Math.min(grown, policy.maxBackoffMs);
  const spread = options.random === undefined ? exact : exact / 2 + (exact / 2) * options.random;
  return Math.min(Math.max(Math.round(spread), (options.retryAfter ?? 0) * 1000), LONGEST_MS);
}
