import type { JsonObject, LogLevel } from '@controlplane/contracts';
import { createLogTail, type TailPiece } from './log-tail.js';
import { cutBefore } from './utf8-cut.js';

/** A log line or a piece of a child's output, with its place in the job's history. */
export interface LogPiece {
  readonly attempt: number;
  readonly eventSeq: number;
  readonly at: number;
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: JsonObject | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
}

/** What a row of the log holds beside its place. */
export interface LogData {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields?: JsonObject | undefined;
  readonly stream?: 'stdout' | 'stderr' | undefined;
  /** Where the piece belongs to both halves: what of it is in the first one. */
  readonly head?: string | undefined;
  /** What was left out before `message`. */
  readonly gap?: { readonly bytes: number; readonly events: number } | undefined;
}

export interface LogPlace {
  readonly attempt: number;
  readonly eventSeq: number;
}

export interface LogRow extends LogPlace {
  readonly at: number;
  readonly data: LogData;
}

/** What has to be written so that the store has the record as it is. */
export interface LogChanges {
  readonly put: readonly LogRow[];
  readonly remove: readonly LogPlace[];
}

/**
 * The log of a job within a number of bytes: the first half of it as it came, the last half as it comes, and a count of
 * what was left out between them. Bytes are those of messages and fields as UTF-8; no character is ever split.
 */
export interface LogRecord {
  readonly droppedBytes: number;
  /** Pieces of which nothing is kept. */
  readonly droppedEvents: number;
  /** Whether the store lacks something of the second half. */
  readonly dirty: boolean;
  /** Takes a piece in. Returns its row where it is of the first half, which never changes. */
  add(piece: LogPiece): LogRow | undefined;
  /** What the store lacks; it counts as written. */
  flush(): LogChanges;
  /** The rows that may change yet, as they are now. */
  changing(): readonly LogRow[];
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

/**
 * A record that may take `maxBytes`.
 * @param rows - what the store has of it, in order
 */
export function createLogRecord(maxBytes: number, rows: readonly LogRow[] = []): LogRecord {
  const maxHead = Math.floor(maxBytes / 2);
  const gapAt = rows.findIndex(({ data }) => data.gap !== undefined);
  const tail = createLogTail(rows[gapAt]?.data.gap ?? { bytes: 0, events: 0 });
  let headBytes = 0;
  let headPieces = 0;
  let closed = false;
  /** The last place of the first half. */
  let last: LogPlace | undefined;
  /** The place that belongs to both. */
  let shared: LogPlace | undefined;

  const take = (place: LogPlace, bytes: number): void => {
    last = place;
    headBytes += bytes;
    headPieces += 1;
  };
  const pushShared = (piece: LogPiece, text: Buffer, cut: number): void => {
    shared = { attempt: piece.attempt, eventSeq: piece.eventSeq };
    take(shared, cut);
    const [head, rest] = [text.subarray(0, cut).toString(), text.subarray(cut)];
    tail.push(toTailPiece(piece, { text: rest, fieldBytes: 0, head }), maxBytes - headBytes);
  };
  const add = (piece: LogPiece, onDisk: boolean): LogRow | undefined => {
    const { attempt, eventSeq, at, level, message, fields, stream } = piece;
    const text = Buffer.from(message);
    const fieldBytes = fieldBytesOf(fields);
    const room = maxHead - headBytes;
    if (!closed && headPieces < MAX_PIECES) {
      if (text.length + fieldBytes <= room) {
        take({ attempt, eventSeq }, text.length + fieldBytes);
        return { attempt, eventSeq, at, data: { level, message, fields, stream } };
      }
      const cut = fields === undefined ? cutBefore(text, room) : 0;
      closed = true;
      if (cut > 0) return void pushShared(piece, text, cut);
    }
    closed = true;
    tail.push(toTailPiece(piece, { text, fieldBytes, head: undefined, onDisk }), maxBytes - headBytes);
    return undefined;
  };

  for (const [index, { data, ...place }] of rows.entries()) {
    const { head, gap: _gap, ...rest } = data;
    if (gapAt === -1 || index < gapAt) {
      add({ ...place, ...rest, message: (head ?? '') + data.message }, true);
      continue;
    }
    closed = true;
    if (head !== undefined) {
      shared = place;
      take(place, Buffer.byteLength(head));
    }
    const text = Buffer.from(data.message);
    const part = { text, fieldBytes: fieldBytesOf(data.fields), head, onDisk: true };
    tail.push(toTailPiece({ ...place, ...rest }, part), maxBytes - headBytes);
  }

  return {
    get droppedBytes() {
      return tail.droppedBytes;
    },
    get droppedEvents() {
      return tail.droppedEvents;
    },
    get dirty() {
      return tail.dirty;
    },
    add: (piece) => add(piece, false),
    flush: tail.flush,
    changing: tail.rows,
    isFixed: (place) =>
      last !== undefined && isUpTo(place, last) && (shared === undefined || !samePlace(place, shared)),
  };
}
