import { envelopeOf, isTerminalEvent, type ExecutionEvent } from '@controlplane/contracts';
import { sayLargestPart } from '../../util/largest-part.js';

/** Bytes of a request or frame around the events of an execution, at most. */
export const OVERHEAD_BYTES = 1024;

/** What an event may be as large as, and who says so when it is larger. */
export interface EventLimits {
  /** The most bytes that the control plane reads at once. */
  readonly maxBytes: number;
  /** The runner's name. */
  readonly service: string;
}

/** Bytes of an event as JSON. */
export function eventBytes(event: ExecutionEvent): number {
  return Buffer.byteLength(JSON.stringify(event));
}

/**
 * An end that the control plane could never read would be sent for ever: it is told as that.
 * @param event - the event
 * @param limits - what can be read
 * @param bytes - what the event is as JSON; default: measured
 */
export function fitEvent(
  event: ExecutionEvent,
  limits: EventLimits,
  bytes = eventBytes(event),
): ExecutionEvent {
  const limit = limits.maxBytes - OVERHEAD_BYTES;
  if (!isTerminalEvent(event) || bytes <= limit) return event;
  const { executionId, seq, at, executionTimeMs } = event;
  const largest =
    event.type === 'succeeded' ? sayLargestPart(JSON.stringify(event.data ?? null), 'result') : '';
  const message = `the result is ${bytes} bytes of JSON; the control plane reads at most ${limit} at once${largest}`;
  const error = envelopeOf('PAYLOAD_TOO_LARGE', { service: limits.service, message });
  return { type: 'failed', executionId, seq, at, executionTimeMs, error };
}
