import type { AcceptedEvent, SucceededEvent } from '@controlplane/contracts';
import type { Clock } from '../util/clock.js';
import { createEventChannel, type EventChannel } from './event-channel.js';

/** Bounds of what is remembered of ended executions. */
export interface ReplayLimits {
  /** At least the last half of this many are remembered, at most this many. */
  readonly maxCount: number;
  /** The same for their size; one that takes more than half of it is not remembered. */
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

/** The executions that ended a while ago: a repeated delivery is answered from here, not run again. */
export interface ReplayCache {
  get(executionId: string): EventChannel | undefined;
  put(channel: EventChannel): void;
  readonly size: number;
}

type Kept = Pick<EventChannel, 'nextSeq' | 'accepted' | 'logs' | 'progress' | 'terminal' | 'droppedEvents'>;

/**
 * An ended execution in few objects. Kept as it was, thousands of them keep the garbage collector copying what
 * surrounds them: measured 8 µs an execution against 2.5 µs.
 */
interface Entry {
  /** JSON of what the channel kept, without the result; undefined for one that did nothing but succeed. */
  readonly text: string | undefined;
  readonly acceptedAt: string;
  readonly endedAt: string;
  readonly executionTimeMs: number;
  readonly runnerId: string | undefined;
  readonly dataJson: string | undefined;
  readonly endedMs: number;
}

/** Bytes of an entry beside its texts. */
const ENTRY_BYTES = 300;

/** The two events of an execution that did nothing but succeed. */
interface PlainEnding {
  readonly accepted: AcceptedEvent;
  readonly terminal: SucceededEvent;
}

function plainEnding({ accepted, terminal, nextSeq }: EventChannel): PlainEnding | undefined {
  return nextSeq === 2 && accepted && terminal?.type === 'succeeded' && terminal.droppedEvents === undefined
    ? { accepted, terminal }
    : undefined;
}

function pack(channel: EventChannel, endedMs: number): Entry {
  const plain = plainEnding(channel);
  const { nextSeq, accepted, logs, progress, terminal, droppedEvents, dataJson } = channel;
  const ending = terminal?.type === 'succeeded' ? { ...terminal, data: undefined } : terminal;
  const kept: Kept | undefined = plain
    ? undefined
    : { nextSeq, accepted, logs, progress, terminal: ending, droppedEvents };
  return {
    text: kept && JSON.stringify(kept),
    acceptedAt: accepted?.at ?? '',
    endedAt: terminal?.at ?? '',
    executionTimeMs: terminal?.executionTimeMs ?? 0,
    runnerId: terminal?.runnerId,
    dataJson,
    endedMs,
  };
}

function unpackPlain(executionId: string, entry: Entry): Kept {
  const { acceptedAt, endedAt, executionTimeMs, runnerId } = entry;
  const accepted: AcceptedEvent = { type: 'accepted', executionId, seq: 0, at: acceptedAt };
  const ending = {
    executionId,
    seq: 1,
    at: endedAt,
    executionTimeMs,
    ...(runnerId !== undefined && { runnerId }),
  };
  const terminal: SucceededEvent = { type: 'succeeded', ...ending, data: undefined };
  return { nextSeq: 2, accepted, logs: undefined, progress: undefined, terminal, droppedEvents: 0 };
}

function unpack(executionId: string, entry: Entry): EventChannel {
  const { text, dataJson } = entry;
  const kept = text === undefined ? unpackPlain(executionId, entry) : (JSON.parse(text) as Kept);
  if (kept.terminal?.type === 'succeeded') kept.terminal.data = JSON.parse(dataJson ?? 'null');
  return { ...createEventChannel(executionId), ...kept, dataJson };
}

const bytesOf = ({ text, dataJson }: Entry): number =>
  ENTRY_BYTES + (text?.length ?? 0) + (dataJson?.length ?? 0);

interface Generation {
  readonly entries: Map<string, Entry>;
  readonly startedMs: number;
  bytes: number;
}

/**
 * Makes a cache that forgets the older half when the younger half is full: nothing is looked for or moved to
 * forget one.
 * @param limits - how many, how much and how long
 * @param clock - where the age comes from
 */
export function createReplayCache(limits: ReplayLimits, clock: Clock): ReplayCache {
  const begin = (startedMs: number): Generation => ({ entries: new Map(), startedMs, bytes: 0 });
  let young = begin(clock.elapsed());
  let old = begin(clock.elapsed());

  const isFull = ({ entries, bytes, startedMs }: Generation, added: Entry): boolean =>
    entries.size >= limits.maxCount / 2 ||
    bytes + bytesOf(added) > limits.maxBytes / 2 ||
    added.endedMs - startedMs > limits.maxAgeMs;

  return {
    get size() {
      return young.entries.size + old.entries.size;
    },
    get(executionId) {
      const entry = young.entries.get(executionId) ?? old.entries.get(executionId);
      if (entry === undefined || clock.elapsed() - entry.endedMs > limits.maxAgeMs) return undefined;
      return unpack(executionId, entry);
    },
    put(channel) {
      const entry = pack(channel, clock.elapsed());
      if (bytesOf(entry) > limits.maxBytes / 2) return;
      if (isFull(young, entry)) {
        old = young;
        young = begin(entry.endedMs);
      }
      young.entries.set(channel.executionId, entry);
      young.bytes += bytesOf(entry);
    },
  };
}
