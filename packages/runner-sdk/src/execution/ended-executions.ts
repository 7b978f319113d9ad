import type { AcceptedEvent, SucceededEvent } from '@controlplane/contracts';
import { createEventChannel, type EventChannel } from './event-channel.js';
import { createIdIndex, type IdIndex } from './id-index.js';

/** Ended executions by id, up to a number, until all are forgotten at once. */
export interface EndedExecutions {
  readonly count: number;
  /**
   * @param hash - of the execution's id, by `hashOfId`
   * @param endedMs - by the clock's `elapsed`
   * @returns false where there is no room for it; what takes more than there is at all is left out
   */
  add(channel: EventChannel, hash: number, endedMs: number): boolean;
  /** @param sinceMs - what ended before is not found */
  get(executionId: string, hash: number, sinceMs: number): EventChannel | undefined;
  /** Forgets all; the memory is kept for what comes. */
  clear(): void;
}

type Kept = Pick<
  EventChannel,
  'nextSeq' | 'accepted' | 'logs' | 'progress' | 'checkpoint' | 'terminal' | 'droppedEvents' | 'droppedBytes'
>;

/** Bytes counted for an execution beside its texts. */
const ENTRY_BYTES = 300;
const FIRST_STORE_BYTES = 64 * 1024;

/**
 * Parallel columns, one row an execution. Thousands of small objects that live for a while keep the garbage
 * collector copying; times are texts that many rows share, and what is large lies outside of its reach.
 */
interface Columns {
  readonly rows: IdIndex;
  readonly endedMs: Float64Array;
  readonly executionTimeMs: Float64Array;
  readonly acceptedAt: string[];
  readonly endedAt: string[];
  readonly runnerId: Array<string | undefined>;
  /** Where in the store the row's texts begin: JSON of its events, then that of its result; one more ends the last row. */
  readonly starts: Float64Array;
  /** Where the second begins. An execution that did nothing but succeed has no first. */
  readonly splits: Float64Array;
  readonly maxBytes: number;
  store: Buffer;
  count: number;
}

/** The two events of an execution that did nothing but succeed. */
interface PlainEnding {
  readonly accepted: AcceptedEvent;
  readonly terminal: SucceededEvent;
}

function plainEnding({ accepted, terminal, nextSeq }: EventChannel): PlainEnding | undefined {
  const isPlain = nextSeq === 2 && terminal?.type === 'succeeded' && terminal.droppedEvents === undefined;
  return isPlain && accepted && terminal.droppedBytes === undefined ? { accepted, terminal } : undefined;
}

function keptJson(channel: EventChannel): string {
  const { nextSeq, accepted, logs, progress, checkpoint, terminal, droppedEvents, droppedBytes } = channel;
  // The result is kept once, as the JSON that it was sent as.
  const ending = terminal?.type === 'succeeded' ? { ...terminal, data: undefined } : terminal;
  const kept: Kept = {
    nextSeq,
    accepted,
    logs,
    progress,
    checkpoint,
    terminal: ending,
    droppedEvents,
    droppedBytes,
  };
  return JSON.stringify(kept);
}

function write(columns: Columns, text: string, start: number): number {
  // A UTF-16 unit is at most three bytes: most texts need not be measured.
  if (start + text.length * 3 > columns.store.length) {
    const end = start + Buffer.byteLength(text);
    if (end > columns.store.length) {
      const store = Buffer.allocUnsafeSlow(Math.max(columns.store.length * 2, end));
      columns.store.copy(store, 0, 0, start);
      columns.store = store;
    }
  }
  return start + columns.store.write(text, start);
}

function bytesOf({ starts, count }: Columns): number {
  return (starts[count] ?? 0) + count * ENTRY_BYTES;
}

/** The columns of what nearly every execution has alone; the empty text stands for what is not there. */
function fillRow(columns: Columns, row: number, { accepted, terminal }: EventChannel): void {
  columns.executionTimeMs[row] = terminal?.executionTimeMs ?? 0;
  columns.acceptedAt[row] = accepted?.at ?? '';
  columns.endedAt[row] = terminal?.at ?? '';
  columns.runnerId[row] = terminal?.runnerId;
}

function add(columns: Columns, channel: EventChannel, at: { hash: number; endedMs: number }): boolean {
  const { executionId, dataJson = '' } = channel;
  const kept = plainEnding(channel) ? '' : keptJson(channel);
  // Nearly all of it is of one byte a character: what is more is forgiven.
  const bytes = kept.length + dataJson.length + ENTRY_BYTES;
  if (bytes > columns.maxBytes) return true;
  if (columns.count === columns.endedMs.length || bytesOf(columns) + bytes > columns.maxBytes) return false;
  const row = columns.count++;
  columns.rows.add(executionId, at.hash, row);
  columns.endedMs[row] = at.endedMs;
  fillRow(columns, row, channel);
  const start = columns.starts[row] ?? 0;
  const split = kept === '' ? start : write(columns, kept, start);
  columns.splits[row] = split;
  columns.starts[row + 1] = dataJson === '' ? split : write(columns, dataJson, split);
  return true;
}

function plainKept(columns: Columns, executionId: string, row: number): Kept {
  const at = columns.acceptedAt[row] ?? '';
  const accepted: AcceptedEvent = { type: 'accepted', executionId, seq: 0, at };
  const runnerId = columns.runnerId[row];
  const terminal: SucceededEvent = {
    type: 'succeeded',
    executionId,
    seq: 1,
    at: columns.endedAt[row] ?? '',
    executionTimeMs: columns.executionTimeMs[row] ?? 0,
    ...(runnerId !== undefined && { runnerId }),
    data: undefined,
  };
  const nothing = { logs: undefined, progress: undefined, checkpoint: undefined };
  return { nextSeq: 2, accepted, ...nothing, terminal, droppedEvents: 0, droppedBytes: 0 };
}

function read(columns: Columns, executionId: string, row: number): EventChannel {
  const { store, starts, splits } = columns;
  const keptText = store.toString('utf8', starts[row], splits[row]);
  const dataJson = store.toString('utf8', splits[row], starts[row + 1]) || undefined;
  const kept = keptText === '' ? plainKept(columns, executionId, row) : (JSON.parse(keptText) as Kept);
  if (kept.terminal?.type === 'succeeded') kept.terminal.data = JSON.parse(dataJson ?? 'null');
  return { ...createEventChannel(executionId), ...kept, dataJson };
}

/**
 * Makes an empty set.
 * @param maxCount - the most that are ever added before `clear`
 * @param maxBytes - the most that all may take
 */
export function createEndedExecutions(maxCount: number, maxBytes: number): EndedExecutions {
  const columns: Columns = {
    rows: createIdIndex(maxCount),
    endedMs: new Float64Array(maxCount),
    executionTimeMs: new Float64Array(maxCount),
    acceptedAt: [],
    endedAt: [],
    runnerId: [],
    starts: new Float64Array(maxCount + 1),
    splits: new Float64Array(maxCount),
    maxBytes,
    store: Buffer.allocUnsafeSlow(FIRST_STORE_BYTES),
    count: 0,
  };
  return {
    get count() {
      return columns.count;
    },
    add: (channel, hash, endedMs) => add(columns, channel, { hash, endedMs }),
    get(executionId, hash, sinceMs) {
      const row = columns.rows.find(executionId, hash);
      if (row < 0 || (columns.endedMs[row] ?? 0) < sinceMs) return undefined;
      return read(columns, executionId, row);
    },
    clear() {
      columns.rows.clear();
      columns.count = 0;
    },
  };
}
