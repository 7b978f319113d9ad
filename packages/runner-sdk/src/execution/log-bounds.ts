import type { LogEvent } from '@controlplane/contracts';
import { cutBytes, dropBytes } from '../util/cut-bytes.js';
import { emitSaid, type BoundedLog, type EventChannel, type LogBounds } from './event-channel.js';

/** Bounds of what one execution may log. */
export interface LogLimits {
  /** Bytes of all log events together, texts and fields: the first half and the last half are kept. */
  readonly maxLogBytes: number;
  /** Bytes of one log event's text, and of its fields; the rest is cut off. */
  readonly maxLogEventBytes: number;
  /** Log events; of these too the first and the last half are kept. */
  readonly maxLogEvents: number;
}

const SWEEP_COUNT = 1024;

/**
 * Takes a log event: sends it, holds it back or drops it.
 * @returns the event as it was sent, if it was
 */
export function boundLog(channel: EventChannel, log: BoundedLog, limits: LogLimits): LogEvent | undefined {
  const bounds = (channel.bounds ??= {
    headBytes: 0,
    headEvents: 0,
    isHeadSpent: false,
    held: [],
    heldStart: 0,
    heldBytes: 0,
  });
  if (bounds.isHeadSpent) return hold(channel, log, limits);
  const headLeft = Math.ceil(limits.maxLogBytes / 2) - bounds.headBytes;
  if (log.bytes <= headLeft && bounds.headEvents < limits.maxLogEvents / 2) return send(channel, bounds, log);
  bounds.isHeadSpent = true;
  if (log.event.stream === undefined) return hold(channel, log, limits);
  // Output is text without an order of lines to keep: it fills the first half to its last byte.
  const { head, headBytes, tail } = cutBytes(log.event.message, headLeft);
  const sent =
    head === ''
      ? undefined
      : send(channel, bounds, { event: { ...log.event, message: head }, bytes: headBytes });
  hold(channel, { event: { ...log.event, message: tail }, bytes: log.bytes - headBytes }, limits);
  return sent;
}

function send(channel: EventChannel, bounds: LogBounds, { event, bytes }: BoundedLog): LogEvent {
  bounds.headBytes += bytes;
  bounds.headEvents++;
  return emitSaid(channel, event) as LogEvent;
}

function hold(channel: EventChannel, log: BoundedLog, limits: LogLimits): undefined {
  const { bounds } = channel;
  if (!bounds) return;
  bounds.held.push(log);
  bounds.heldBytes += log.bytes;
  const maxBytes = limits.maxLogBytes - bounds.headBytes;
  const maxEvents = Math.max(1, limits.maxLogEvents - bounds.headEvents);
  while (bounds.heldBytes > maxBytes || bounds.held.length - bounds.heldStart > maxEvents) {
    dropOldest(channel, bounds, bounds.heldBytes - maxBytes);
  }
  if (bounds.heldStart < SWEEP_COUNT) return;
  bounds.held.splice(0, bounds.heldStart);
  bounds.heldStart = 0;
}

/** Drops the oldest held event; of output no more than what must go. */
function dropOldest(channel: EventChannel, bounds: LogBounds, excessBytes: number): void {
  const oldest = bounds.held[bounds.heldStart];
  if (!oldest) return;
  const { event, bytes } = oldest;
  if (event.stream !== undefined && excessBytes > 0 && excessBytes < bytes) {
    const { text, dropped } = dropBytes(event.message, excessBytes);
    bounds.heldBytes -= dropped;
    channel.droppedBytes += dropped;
    bounds.held[bounds.heldStart] = { event: { ...event, message: text }, bytes: bytes - dropped };
    return;
  }
  bounds.heldStart++;
  bounds.heldBytes -= bytes;
  channel.droppedBytes += bytes;
  channel.droppedEvents++;
}

/** Sends what was held back: the execution is about to end. */
export function sendHeld(channel: EventChannel, onSent: (event: LogEvent) => void): void {
  const { bounds } = channel;
  if (!bounds || bounds.held.length === 0) return;
  const held = bounds.held.slice(bounds.heldStart);
  bounds.held = [];
  bounds.heldStart = 0;
  bounds.heldBytes = 0;
  for (const { event } of held) onSent(emitSaid(channel, event) as LogEvent);
}
