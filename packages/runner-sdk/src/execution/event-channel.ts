import type {
  AcceptedEvent,
  CheckpointEvent,
  ExecutionEvent,
  ExtendedEvent,
  LogEvent,
  ProgressEvent,
  TerminalEvent,
  WritingEvent,
} from '@controlplane/contracts';
import { truncateText } from '../util/safe-json.js';
import type { EventSink, Subscription } from './execute.js';

/** What is kept of everything that happens between acceptance and end. */
type SaidEvent = LogEvent | ExtendedEvent | WritingEvent;

/** An event that has not got its place yet. */
export type Unplaced<Event> = Event extends ExecutionEvent ? Omit<Event, 'executionId' | 'seq'> : never;

/** A log event that has no place yet, and the bytes that it counts for. */
export interface BoundedLog {
  readonly event: Unplaced<LogEvent>;
  readonly bytes: number;
}

/**
 * How far the log of one execution has come. The first half of its bytes is sent as it comes; from then on the
 * newest events are held back, older ones making room for them, until the execution ends.
 */
export interface LogBounds {
  headBytes: number;
  headEvents: number;
  isHeadSpent: boolean;
  held: BoundedLog[];
  /** Where the held events begin in `held`: what was dropped before is swept away now and then. */
  heldStart: number;
  heldBytes: number;
}

/**
 * The events of one execution: what is kept of them, and who listens. Logs are bounded in bytes, of progress and
 * checkpoints only the last is kept, so that neither a talkative handler nor a slow reader can fill the memory.
 */
export interface EventChannel {
  readonly executionId: string;
  nextSeq: number;
  accepted: AcceptedEvent | undefined;
  logs: SaidEvent[] | undefined;
  progress: ProgressEvent | undefined;
  checkpoint: CheckpointEvent | undefined;
  terminal: TerminalEvent | undefined;
  /** The JSON of the result, once it succeeded. */
  dataJson: string | undefined;
  /** Log events that were left out as a whole. */
  droppedEvents: number;
  /** Bytes of log that were left out. */
  droppedBytes: number;
  /** Made by the first log. */
  bounds: LogBounds | undefined;
  /** The last event that the control plane has, as far as it said so; -1 before. */
  acknowledgedSeq: number;
  /** Waits for acknowledgements. */
  onAcknowledge: (() => void) | undefined;
  /** Who listens, as a list: mostly there is one. */
  listener: Listener | undefined;
}

interface Listener extends Subscription {
  readonly channel: EventChannel;
  readonly sink: EventSink;
  next: Listener | undefined;
}

/** Makes the channel of an execution that has said nothing yet. */
export function createEventChannel(executionId: string): EventChannel {
  return {
    executionId,
    nextSeq: 0,
    accepted: undefined,
    logs: undefined,
    progress: undefined,
    checkpoint: undefined,
    terminal: undefined,
    dataJson: undefined,
    droppedEvents: 0,
    droppedBytes: 0,
    bounds: undefined,
    acknowledgedSeq: -1,
    onAcknowledge: undefined,
    listener: undefined,
  };
}

function deliver(channel: EventChannel, event: ExecutionEvent): void {
  for (let { listener } = channel; listener; listener = listener.next) listener.sink(event, channel.dataJson);
}

/** Says that the execution is accepted: its first event. */
export function emitAccepted(channel: EventChannel, at: string): void {
  channel.accepted = { type: 'accepted', executionId: channel.executionId, seq: channel.nextSeq++, at };
  deliver(channel, channel.accepted);
}

/** Gives an event the next place and keeps it: logs within their bounds, and announcements. */
export function emitSaid(channel: EventChannel, event: Unplaced<SaidEvent>): SaidEvent {
  const placed = { ...event, executionId: channel.executionId, seq: channel.nextSeq++ };
  (channel.logs ??= []).push(placed);
  deliver(channel, placed);
  return placed;
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

/** Says where the work stands. The caller hands over data that nobody changes any more. */
export function emitCheckpoint(channel: EventChannel, data: unknown, at: string): void {
  const { executionId } = channel;
  channel.checkpoint = { type: 'checkpoint', executionId, seq: channel.nextSeq++, at, data };
  deliver(channel, channel.checkpoint);
}

/** Ends the channel. The caller has made the event with `channel.nextSeq`. */
export function emitTerminal(channel: EventChannel, event: TerminalEvent, dataJson?: string): void {
  if (channel.terminal) return;
  channel.nextSeq++;
  channel.terminal = event;
  channel.dataJson = dataJson;
  deliver(channel, event);
  channel.listener = undefined;
}

/** Ends the channel without a word to anybody. */
export function closeSilently(channel: EventChannel, event: TerminalEvent): void {
  channel.listener = undefined;
  emitTerminal(channel, event);
}

/** The events from `seq` on that are kept, in order. */
export function eventsFrom(channel: EventChannel, seq: number): ExecutionEvent[] {
  const { accepted, logs, progress, checkpoint, terminal } = channel;
  const middle: ExecutionEvent[] = logs ? [...logs] : [];
  for (const last of [progress, checkpoint]) {
    if (!last) continue;
    const after = middle.findIndex((event) => event.seq > last.seq);
    middle.splice(after === -1 ? middle.length : after, 0, last);
  }
  const kept = [...(accepted ? [accepted] : []), ...middle, ...(terminal ? [terminal] : [])];
  return seq === 0 ? kept : kept.filter((event) => event.seq >= seq);
}

function remove(listener: Listener): void {
  const { channel } = listener;
  if (channel.listener === listener) {
    channel.listener = listener.next;
    return;
  }
  for (let before = channel.listener; before; before = before.next) {
    if (before.next !== listener) continue;
    before.next = listener.next;
    return;
  }
}

/** Shared by every subscription, which is one object and no closure: an execution pays for little more. */
const subscriptionMethods = {
  eventsFrom(this: Listener, seq: number): ExecutionEvent[] {
    return eventsFrom(this.channel, seq);
  },
  dataJson(this: Listener): string | undefined {
    return this.channel.dataJson;
  },
  acknowledge(this: Listener, seq: number): void {
    const { channel } = this;
    if (seq <= channel.acknowledgedSeq) return;
    channel.acknowledgedSeq = seq;
    channel.onAcknowledge?.();
  },
  detach(this: Listener): void {
    remove(this);
  },
};

/** Sends what is kept to a sink at once, and what comes until it is detached. */
export function subscribe(channel: EventChannel, sink: EventSink): Subscription {
  if (channel.nextSeq > 0) for (const event of eventsFrom(channel, 0)) sink(event, channel.dataJson);
  const listener = {
    __proto__: subscriptionMethods,
    channel,
    sink,
    next: channel.listener,
  } as unknown as Listener;
  if (!channel.terminal) channel.listener = listener;
  return listener;
}
