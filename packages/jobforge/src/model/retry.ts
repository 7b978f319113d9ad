import {
  calculateRetryDelay,
  shouldRetry,
  type ErrorEnvelope,
  type RetryPolicy,
} from '@controlplane/contracts';

/** What happens to a job whose attempt did not succeed. */
export type NextStep =
  | { readonly kind: 'fail' }
  /** Another attempt that counts, after the delay. */
  | { readonly kind: 'retry'; readonly delayMs: number }
  /** Offered again at once, at no cost to the job. */
  | { readonly kind: 'requeue' };

export interface AttemptHistory {
  readonly policy: RetryPolicy;
  /** Attempts that counted so far, without the first. */
  readonly retries: number;
  /** In [0, 1). */
  readonly random: number;
}

/** Codes that say "not now, not here": the job goes back and nothing is counted. */
const HANDED_BACK: ReadonlySet<string> = new Set([
  'RUNNER_BUSY',
  'RUNNER_DRAINING',
  'INSTANCE_MISMATCH',
  'SIGNATURE_INVALID',
]);

/** Whether an error that came instead of `accepted` puts the job back. */
export function isRefusal(code: string): boolean {
  return HANDED_BACK.has(code);
}

/** Decides after a runner reported a failure. */
export function afterFailure(error: ErrorEnvelope, history: AttemptHistory): NextStep {
  if (error.code === 'RUNNER_SHUTDOWN' && error.retryable) return { kind: 'requeue' };
  if (!shouldRetry(error, history.policy) || history.retries >= history.policy.maxRetries)
    return { kind: 'fail' };
  const options = { retryAfter: error.retryAfter, random: history.random };
  // Whole milliseconds: a runner may name parts of them, and the store keeps none.
  return { kind: 'retry', delayMs: Math.ceil(calculateRetryDelay(history.retries, history.policy, options)) };
}

/**
 * Decides after the runner of an accepted execution was lost: what must not be repeated fails, the rest is
 * offered again at once and counts as an attempt.
 */
export function afterLoss(writes: boolean, history: AttemptHistory): NextStep {
  if (writes || history.retries >= history.policy.maxRetries) return { kind: 'fail' };
  return { kind: 'retry', delayMs: 0 };
}
