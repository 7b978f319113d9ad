import { envelopeOf, Identifier, type ExecutionEvent } from '@controlplane/contracts';
import type { Subscription } from '../../execution/execute.js';
import { issueDetails, sayDetails } from './error-reply.js';

/** What is said of an offer that cannot be read; undefined where it names no execution. */
export function refusedOffer(
  value: unknown,
  error: { readonly issues: Parameters<typeof issueDetails>[0] },
  service: string,
) {
  const given = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly executionId?: unknown;
    readonly jobId?: unknown;
    readonly leaseToken?: unknown;
  };
  const id = Identifier.safeParse(given.executionId ?? given.jobId);
  if (!id.success) return undefined;
  const details = issueDetails(error.issues);
  const event: ExecutionEvent = {
    type: 'failed',
    executionId: id.data,
    seq: 0,
    at: new Date().toISOString(),
    executionTimeMs: 0,
    error: envelopeOf('VALIDATION_ERROR', { service, message: sayDetails(details), details }),
  };
  const leaseToken = typeof given.leaseToken === 'string' ? given.leaseToken : undefined;
  return { executionId: id.data, leaseToken, event };
}

/** A hold on the events of an execution. */
export type EventHold = Pick<Subscription, 'eventsFrom' | 'dataJson' | 'acknowledge' | 'detach'>;

/** A hold on events that are all there is: of an earlier process, or of an offer that could not be read. */
export function fixedEvents(events: readonly ExecutionEvent[]): EventHold {
  return {
    eventsFrom: (seq) => events.filter((event) => event.seq >= seq),
    dataJson: () => undefined,
    acknowledge: () => undefined,
    detach: () => undefined,
  };
}
