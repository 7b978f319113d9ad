import type {
  AcceptedEvent,
  ExecutionEvent,
  LogEvent,
  LogLevel,
  ProgressEvent,
  TerminalEvent,
} from '@controlplane/contracts';
import { toSafeJson, truncateText } from '../util/safe-json.js';
import type { EventSink, Subscription } from './execute.js';

/** Bounds of what one execution may say, in bytes. */
export interface ChannelLimits {
  /** All log events together; what comes after is counted and dropped. */
  readonly maxLogBytes: number;
  /** Text of one log event; the rest is cut off. */
  readonly maxLogEventBytes: number;
}

/** Bytes counted for a log event beside its text: position, level and punctuation. */
const LOG_OVERHEAD_BYTES = 120;

/**
 * The events of one execution: what is kept of them, and who listens. Logs are bounded in bytes, of progress
 * only the last is kept, so that neither a talkative handler nor a slow reader can fill the memory.
 */
export interface EventChannel {
  readonly executionId: string;
  nextSeq: number;
  accepted: AcceptedEvent | undefined;
  logs: LogEvent[] | undefined;
  progress: ProgressEvent | undefined;
  terminal: TerminalEvent | undefined;
  /** The JSON of the result, once it succeeded. */
  dataJson: string | undefined;
  logBytes: number;
  droppedEvents: number;
  /** The last event that the control plane has, as far as it said so; -1 before. */
  acknowledgedSeq: number;
  /** Waits for acknowledgements. */
  onAcknowledge: (() => void) | undefined;
  sinks: EventSink[];
}

/** Makes the channel of an execution that has said nothing yet. */
export function createEventChannel(executionId: string): EventChannel {
  return {
    executionId,
    nextSeq: 0,
    accepted: undefined,
    logs: undefined,
    progress: undefined,
    terminal: undefined,
    dataJson: undefined,
    logBytes: 0,
    droppedEvents: 0,
    acknowledgedSeq: -1,
    onAcknowledge: undefined,
    sinks: [],
  };
}

function deliver(channel: EventChannel, event: ExecutionEvent): void {
  for (const sink of channel.sinks) sink(event, channel.dataJson);
}

/** Says that the execution is accepted: its first event. */
export function emitAccepted(channel: EventChannel, at: string): void {
  channel.accepted = { type: 'accepted', executionId: channel.executionId, seq: channel.nextSeq++, at };
  deliver(channel, channel.accepted);
}

function logFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const safe = toSafeJson(fields);
  return typeof safe === 'object' && safe !== null && !Array.isArray(safe) ? safe : { value: safe };
}

/** Cuts a text to a number of bytes of UTF-8 without splitting a character. */
function truncateBytes(text: string, maxBytes: number): string {
  // A UTF-16 unit is at most three bytes, so that most texts need not be measured.
  if (text.length * 3 <= maxBytes || Buffer.byteLength(text) <= maxBytes) return text;
  const bytes = Buffer.from(text);
  let end = maxBytes;
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return `${bytes.toString('utf8', 0, end)}… [${bytes.length - end} bytes more]`;
}

/** What a handler hands to its log. */
export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Adds a log event, unless the execution has ended or said too much already.
 * @returns the fields as they were sent, secrets redacted; undefined when the event was not taken
 */
export function emitLog(
  channel: EventChannel,
  line: LogLine,
  options: { readonly at: string; readonly limits: ChannelLimits },
): LogEvent | undefined {
  if (channel.terminal) return undefined;
  const message = truncateBytes(String(line.message), options.limits.maxLogEventBytes);
  let fields = line.fields === undefined ? undefined : logFields(line.fields);
  let fieldBytes = fields === undefined ? 0 : Buffer.byteLength(JSON.stringify(fields));
  if (fieldBytes > options.limits.maxLogEventBytes) {
    fields = { truncated: `${fieldBytes} bytes of fields were left out` };
    fieldBytes = 64;
  }
  const bytes = Buffer.byteLength(message) + fieldBytes + LOG_OVERHEAD_BYTES;
  if (channel.logBytes + bytes > options.limits.maxLogBytes) {
    channel.droppedEvents++;
    return undefined;
  }
  channel.logBytes += bytes;
  const event: LogEvent = {
    type: 'log',
    executionId: channel.executionId,
    seq: channel.nextSeq++,
    at: options.at,
    level: line.level,
    message,
    ...(fields === undefined ? {} : { fields }),
  };
  (channel.logs ??= []).push(event);
  deliver(channel, event);
  return event;
}

/** Says how much is done, unless the execution has ended. */
export function emitProgress(
  channel: EventChannel,
  progress: { readonly fraction: number; readonly message?: string | undefined; readonly at: string },
): void {
  if (channel.terminal) return;
  const { message, at } = progress;
  const given: unknown = progress.fraction;
  const fraction = typeof given === 'number' && !Number.isNaN(given) ? Math.min(1, Math.max(0, given)) : 0;
  channel.progress = {
    type: 'progress',
    executionId: channel.executionId,
    seq: channel.nextSeq++,
    at,
    fraction,
    ...(message === undefined ? {} : { message: truncateText(String(message), 1024) }),
  };
  deliver(channel, channel.progress);
}

/** Ends the channel. The caller has made the event with `channel.nextSeq`. */
export function emitTerminal(channel: EventChannel, event: TerminalEvent, dataJson?: string): void {
  if (channel.terminal) return;
  channel.nextSeq++;
  channel.terminal = event;
  channel.dataJson = dataJson;
  deliver(channel, event);
  channel.sinks = [];
}

/** The events from `seq` on that are kept, in order. */
export function eventsFrom(channel: EventChannel, seq: number): ExecutionEvent[] {
  const { accepted, logs, progress, terminal } = channel;
  const middle: ExecutionEvent[] = logs ? [...logs] : [];
  if (progress) {
    const after = middle.findIndex((event) => event.seq > progress.seq);
    middle.splice(after === -1 ? middle.length : after, 0, progress);
  }
  const kept = [...(accepted ? [accepted] : []), ...middle, ...(terminal ? [terminal] : [])];
  return seq === 0 ? kept : kept.filter((event) => event.seq >= seq);
}

/** Sends what is kept to a sink at once, and what comes until it is detached. */
export function subscribe(channel: EventChannel, sink: EventSink): Subscription {
  if (channel.nextSeq > 0) for (const event of eventsFrom(channel, 0)) sink(event, channel.dataJson);
  if (!channel.terminal) channel.sinks.push(sink);
  return {
    eventsFrom: (seq) => eventsFrom(channel, seq),
    dataJson: () => channel.dataJson,
    acknowledge(seq) {
      if (seq <= channel.acknowledgedSeq) return;
      channel.acknowledgedSeq = seq;
      channel.onAcknowledge?.();
    },
    detach() {
      channel.sinks = channel.sinks.filter((other) => other !== sink);
    },
  };
}
