import type { ExecutionEvent } from '@controlplane/contracts';
import { OVERHEAD_BYTES } from './event-sizes.js';

/** Far below what the contract lets one request or frame say of an execution. */
const MAX_EVENTS = 1_000;
const BATCH_BYTES = 512 * 1024;

/**
 * As many of an execution's events as go into one request or frame: at least one, where there is one.
 * @param events - what is to be said, in order
 * @param maxBytes - the most bytes that the control plane reads at once
 * @param weigh - makes of an event what is sent; called for those that go and for at most one more
 */
export function batchOf<Weighed extends { readonly bytes: number }>(
  events: readonly ExecutionEvent[],
  maxBytes: number,
  weigh: (event: ExecutionEvent) => Weighed,
): Weighed[] {
  const limit = Math.min(BATCH_BYTES, maxBytes) - OVERHEAD_BYTES;
  const batch: Weighed[] = [];
  let bytes = 0;
  for (const event of events) {
    if (batch.length === MAX_EVENTS) break;
    const weighed = weigh(event);
    // And the comma after it.
    bytes += weighed.bytes + 1;
    if (batch.length > 0 && bytes > limit) break;
    batch.push(weighed);
  }
  return batch;
}
