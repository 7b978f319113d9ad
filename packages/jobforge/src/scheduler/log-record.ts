import type { JsonObject } from '@controlplane/contracts';
import type { LogChanges, LogPiece, LogPlace, LogRow } from './log-row.js';
import { createLogTail, type LogTail, type TailPiece } from './log-tail.js';
import { cutBefore } from '../model/utf8-cut.js';

/**
 * The log of a job within a number of bytes: the first half of it as it came, the last half as it comes, and a count of
 * what was left out between them. Bytes are those of messages and fields as UTF-8; no character is ever split.
 */
export interface LogRecord {
  readonly droppedBytes: number;
  /** Pieces of which nothing is kept. */
  readonly droppedEvents: number;
  /** Takes a piece in. Returns its row where it is of the first half, which never changes. */
  add(piece: LogPiece): LogRow | undefined;
  /** What the store lacks; it counts as written. */
  flush(): LogChanges;
  /** The rows that may change yet, as they are now. */
  changing(): readonly LogRow[];
  /** Whether the first half takes nothing more. */
  isFull(): boolean;
  /** Whether a row belongs to what never changes. */
  isFixed(place: LogPlace): boolean;
}

/** Pieces of the first half, so that empty ones are bounded too. */
const MAX_PIECES = 2_500;

/** Whether one place comes before another in a job's history, or is the same. */
function isUpTo(left: LogPlace, right: LogPlace): boolean {
  return left.attempt === right.attempt ? left.eventSeq <= right.eventSeq : left.attempt < right.attempt;
}

const samePlace = (left: LogPlace, right: LogPlace): boolean =>
  left.attempt === right.attempt && left.eventSeq === right.eventSeq;

function toTailPiece(
  { attempt, eventSeq, at, level, fields, stream }: Omit<LogPiece, 'message'>,
  part: Pick<TailPiece, 'text' | 'fieldBytes' | 'head'> & { readonly onDisk?: boolean },
): TailPiece {
  const { text, fieldBytes, head, onDisk = false } = part;
  return { attempt, eventSeq, at, level, fields, stream, text, fieldBytes, head, onDisk, stale: !onDisk };
}

const fieldBytesOf = (fields: JsonObject | undefined): number =>
  fields === undefined ? 0 : Buffer.byteLength(JSON.stringify(fields));

interface Halves {
  readonly maxBytes: number;
  readonly tail: LogTail;
  headBytes: number;
  headPieces: number;
  /** Nothing more goes into the first half. */
  closed: boolean;
  /** The last place of the first half. */
  last: LogPlace | undefined;
  /** The place that belongs to both. */
  shared: LogPlace | undefined;
}

function take(halves: Halves, place: LogPlace, bytes: number): void {
  halves.last = place;
  halves.headBytes += bytes;
  halves.headPieces += 1;
}

/** Takes the beginning of a text into the first half, as far as there is room, and the rest into the second. */
function share(halves: Halves, piece: LogPiece, text: Buffer): boolean {
  const cut = cutBefore(text, Math.floor(halves.maxBytes / 2) - halves.headBytes);
  if (cut === 0) return false;
  halves.shared = { attempt: piece.attempt, eventSeq: piece.eventSeq };
  take(halves, halves.shared, cut);
  const head = text.subarray(0, cut).toString();
  const rest = toTailPiece(piece, { text: text.subarray(cut), fieldBytes: 0, head });
  halves.tail.push(rest, halves.maxBytes - halves.headBytes);
  return true;
}

function add(halves: Halves, piece: LogPiece, onDisk: boolean): LogRow | undefined {
  const { attempt, eventSeq, at, level, message, fields, stream } = piece;
  const text = Buffer.from(message);
  const fieldBytes = fieldBytesOf(fields);
  const room = Math.floor(halves.maxBytes / 2) - halves.headBytes;
  if (!halves.closed && halves.headPieces < MAX_PIECES) {
    if (text.length + fieldBytes <= room) {
      take(halves, { attempt, eventSeq }, text.length + fieldBytes);
      return { attempt, eventSeq, at, data: { level, message, fields, stream } };
    }
    halves.closed = true;
    if (fields === undefined && share(halves, piece, text)) return undefined;
  }
  halves.closed = true;
  const whole = toTailPiece(piece, { text, fieldBytes, head: undefined, onDisk });
  halves.tail.push(whole, halves.maxBytes - halves.headBytes);
  return undefined;
}

/** Puts back what the store has. Without a gap nothing is missing: it is as if it came again. */
function restore(halves: Halves, rows: readonly LogRow[], gapAt: number): void {
  for (const [index, { data, ...place }] of rows.entries()) {
    const { head, gap: _gap, ...rest } = data;
    if (gapAt === -1 || index < gapAt) {
      add(halves, { ...place, ...rest, message: (head ?? '') + data.message }, true);
      continue;
    }
    halves.closed = true;
    if (head !== undefined) {
      halves.shared = place;
      take(halves, place, Buffer.byteLength(head));
    }
    const text = Buffer.from(data.message);
    const part = { text, fieldBytes: fieldBytesOf(data.fields), head, onDisk: true };
    halves.tail.push(toTailPiece({ ...place, ...rest }, part), halves.maxBytes - halves.headBytes);
  }
}

/**
 * A record that may take `maxBytes`.
 * @param rows - what the store has of it, in order
 */
export function createLogRecord(maxBytes: number, rows: readonly LogRow[] = []): LogRecord {
  const gapAt = rows.findIndex(({ data }) => data.gap !== undefined);
  const tail = createLogTail(rows[gapAt]?.data.gap ?? { bytes: 0, events: 0 });
  const halves: Halves = {
    maxBytes,
    tail,
    headBytes: 0,
    headPieces: 0,
    closed: false,
    last: undefined,
    shared: undefined,
  };
  restore(halves, rows, gapAt);
  return {
    get droppedBytes() {
      return tail.droppedBytes;
    },
    get droppedEvents() {
      return tail.droppedEvents;
    },
    add: (piece) => add(halves, piece, false),
    flush: tail.flush,
    changing: tail.rows,
    isFull: () => halves.closed,
    isFixed: (place) => {
      const { last, shared } = halves;
      return last !== undefined && isUpTo(place, last) && (shared === undefined || !samePlace(place, shared));
    },
  };
}
