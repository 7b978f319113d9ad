import type { LogChanges, LogPiece, LogPlace, LogRow } from './log-record.js';
import { cutAfter } from './utf8-cut.js';

/** Pieces, so that empty ones are bounded too. */
const MAX_PIECES = 2_500;

export interface TailPiece extends Omit<LogPiece, 'message' | 'fields'> {
  fields: LogPiece['fields'];
  text: Buffer;
  fieldBytes: number;
  /** Where the beginning of this piece is in the first half: that. */
  readonly head: string | undefined;
  onDisk: boolean;
  stale: boolean;
}

const bytesOf = ({ text, fieldBytes }: TailPiece): number => text.length + fieldBytes;

/** What is left of a buffer, without keeping the rest of a much larger one in memory. */
function restOf(text: Buffer, start: number): Buffer {
  const rest = text.subarray(start);
  return rest.length * 2 < text.buffer.byteLength ? Buffer.from(rest) : rest;
}

/** The second half of a log: what comes last, within its bytes. */
export interface LogTail {
  readonly droppedBytes: number;
  readonly droppedEvents: number;
  readonly dirty: boolean;
  push(piece: TailPiece, maxBytes: number): void;
  rows(): LogRow[];
  flush(): LogChanges;
}

/** @param before - what was left out already */
export function createLogTail(before: { readonly bytes: number; readonly events: number }): LogTail {
  const pieces: TailPiece[] = [];
  let removed: LogPlace[] = [];
  /** What is left of a piece that belonged to both halves, when its second part has been left out. */
  let beheaded: LogRow | undefined;
  let beheadedIsStale = false;
  let bytes = 0;
  let droppedBytes = before.bytes;
  let droppedEvents = before.events;

  const rowOf = (piece: TailPiece, isFirst: boolean): LogRow => {
    const { attempt, eventSeq, at, level, fields, stream, head, text } = piece;
    const isGap = isFirst && droppedBytes + droppedEvents > 0;
    const gap = isGap ? { bytes: droppedBytes, events: droppedEvents } : undefined;
    return { attempt, eventSeq, at, data: { level, message: text.toString(), fields, stream, head, gap } };
  };
  const dropFirst = (): void => {
    const first = pieces.shift();
    if (first === undefined) return;
    bytes -= bytesOf(first);
    droppedBytes += bytesOf(first);
    const { attempt, eventSeq, at, level, stream, head } = first;
    if (head !== undefined) {
      beheaded = { attempt, eventSeq, at, data: { level, message: head, stream } };
      beheadedIsStale = true;
      return;
    }
    droppedEvents += 1;
    if (first.onDisk) removed.push({ attempt, eventSeq });
  };
  /** The last one left stays, if only to stand for what is missing. */
  const empty = (only: TailPiece): void => {
    droppedBytes += bytesOf(only);
    bytes = 0;
    Object.assign(only, { text: Buffer.alloc(0), fields: undefined, fieldBytes: 0, stale: true });
  };
  const trimFirst = (first: TailPiece, excess: number): void => {
    const cut = cutAfter(first.text, excess);
    first.text = restOf(first.text, cut);
    first.stale = true;
    bytes -= cut;
    droppedBytes += cut;
    if (first.text.length === 0 && pieces.length > 1) dropFirst();
  };

  return {
    get droppedBytes() {
      return droppedBytes;
    },
    get droppedEvents() {
      return droppedEvents;
    },
    get dirty() {
      return removed.length > 0 || beheadedIsStale || pieces.some(({ stale }) => stale);
    },
    push(piece: TailPiece, maxBytes: number): void {
      pieces.push(piece);
      bytes += bytesOf(piece);
      for (let first = pieces[0]; first !== undefined; first = pieces[0]) {
        const excess = bytes - maxBytes;
        if (excess <= 0 && pieces.length <= MAX_PIECES) break;
        const isWhole = excess >= bytesOf(first) || first.fields !== undefined || excess <= 0;
        if (!isWhole) trimFirst(first, excess);
        else if (pieces.length === 1) empty(first);
        else dropFirst();
      }
      const [first] = pieces;
      if (first !== undefined && droppedBytes + droppedEvents > 0) first.stale = true;
    },
    rows: (): LogRow[] => [
      ...(beheaded === undefined ? [] : [beheaded]),
      ...pieces.map((piece, index) => rowOf(piece, index === 0)),
    ],
    flush(): LogChanges {
      const put = pieces.flatMap((piece, index) => (piece.stale ? [rowOf(piece, index === 0)] : []));
      if (beheaded !== undefined && beheadedIsStale) put.unshift(beheaded);
      beheadedIsStale = false;
      for (const piece of pieces) Object.assign(piece, { stale: false, onDisk: true });
      const remove = removed;
      removed = [];
      return { put, remove };
    },
  };
}
