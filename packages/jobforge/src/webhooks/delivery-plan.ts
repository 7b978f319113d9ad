import type { PostOutcome } from './webhook-post.js';

/** What becomes of a delivery after an attempt. */
export type DeliveryStep =
  | { readonly kind: 'done' }
  | { readonly kind: 'again'; readonly delayMs: number; readonly why: string }
  | { readonly kind: 'give-up'; readonly why: string };

const FIRST_MS = 5_000;
const GROWTH = 4;
const LONGEST_MS = 6 * 60 * 60 * 1000;

/** Milliseconds before the attempt after the n-th: 5 s, four times as long each time, six hours at most, spread over the upper half. */
export function delayAfter(attempts: number, random: number): number {
  const exact = Math.min(FIRST_MS * GROWTH ** (attempts - 1), LONGEST_MS);
  return Math.round(exact / 2 + (exact / 2) * random);
}

function wordsOf(outcome: Exclude<PostOutcome, { kind: 'told' }>): string {
  return outcome.kind === 'failed' ? outcome.message : `answered with status ${outcome.status}`;
}

/** Decides after an attempt. 410 says that nobody wants to hear it any more. */
export function afterPost(
  outcome: PostOutcome,
  { attempts, maxAttempts, random }: { attempts: number; maxAttempts: number; random: number },
): DeliveryStep {
  if (outcome.kind === 'told') return { kind: 'done' };
  const why = wordsOf(outcome);
  const isGone = outcome.kind === 'refused' && outcome.status === 410;
  if (isGone || attempts >= maxAttempts) return { kind: 'give-up', why };
  const asked = outcome.kind === 'refused' ? Math.min(outcome.retryAfterMs ?? 0, LONGEST_MS) : 0;
  return { kind: 'again', delayMs: Math.max(delayAfter(attempts, random), asked), why };
}
