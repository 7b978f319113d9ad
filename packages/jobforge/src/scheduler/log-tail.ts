import type { LogChanges, LogPiece, LogPlace, LogRow } from './log-row.js';
import { cutAfter } from '../model/utf8-cut.js';

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
  push(piece: TailPiece, maxBytes: number): void;
  rows(): LogRow[];
  flush(): LogChanges;
}

interface TailState {
  readonly pieces: TailPiece[];
  bytes: number;
  droppedBytes: number;
  droppedEvents: number;
  /** On disk, and no longer here. */
  removed: LogPlace[];
  /** What is left of a piece that belonged to both halves, when its second part has been left out. */
  beheaded: LogRow | undefined;
  beheadedIsStale: boolean;
}

function rowsOf({ pieces, droppedBytes, droppedEvents }: TailState): LogRow[] {
  const gap = { bytes: droppedBytes, events: droppedEvents };
  return pieces.map(({ attempt, eventSeq, at, level, fields, stream, head, text }, index) => {
    const isGap = index === 0 && gap.bytes + gap.events > 0;
    const data = { level, message: text.toString(), fields, stream, head, gap: isGap ? gap : undefined };
    return { attempt, eventSeq, at, data };
  });
}

function dropFirst(state: TailState): void {
  const first = state.pieces.shift();
  if (first === undefined) return;
  state.bytes -= bytesOf(first);
  state.droppedBytes += bytesOf(first);
  const { attempt, eventSeq, at, level, stream, head } = first;
  if (head !== undefined) {
    state.beheaded = { attempt, eventSeq, at, data: { level, message: head, stream } };
    state.beheadedIsStale = true;
    return;
  }
  state.droppedEvents += 1;
  if (first.onDisk) state.removed.push({ attempt, eventSeq });
}

/** The last one left stays, if only to stand for what is missing. */
function empty(state: TailState, only: TailPiece): void {
  state.droppedBytes += bytesOf(only);
  state.bytes = 0;
  Object.assign(only, { text: Buffer.alloc(0), fields: undefined, fieldBytes: 0, stale: true });
}

function trimFirst(state: TailState, first: TailPiece, excess: number): void {
  const cut = cutAfter(first.text, excess);
  first.text = restOf(first.text, cut);
  first.stale = true;
  state.bytes -= cut;
  state.droppedBytes += cut;
  if (first.text.length === 0 && state.pieces.length > 1) dropFirst(state);
}

/** Leaves out what comes first, until the rest has room. */
function fit(state: TailState, maxBytes: number): void {
  const { pieces } = state;
  for (let first = pieces[0]; first !== undefined; first = pieces[0]) {
    const excess = state.bytes - maxBytes;
    if (excess <= 0 && pieces.length <= MAX_PIECES) break;
    const isWhole = excess >= bytesOf(first) || first.fields !== undefined || excess <= 0;
    if (!isWhole) trimFirst(state, first, excess);
    else if (pieces.length === 1) empty(state, first);
    else dropFirst(state);
  }
  const [first] = pieces;
  if (first !== undefined && state.droppedBytes + state.droppedEvents > 0) first.stale = true;
}

function flush(state: TailState): LogChanges {
  const { pieces, beheaded, beheadedIsStale, removed } = state;
  const put = rowsOf(state).filter((_, index) => pieces[index]?.stale);
  if (beheaded !== undefined && beheadedIsStale) put.unshift(beheaded);
  for (const piece of pieces) {
    piece.stale = false;
    piece.onDisk = true;
  }
  state.beheadedIsStale = false;
  state.removed = [];
  return { put, remove: removed };
}

/** @param before - what was left out already */
export function createLogTail(before: { readonly bytes: number; readonly events: number }): LogTail {
  const state: TailState = {
    pieces: [],
    bytes: 0,
    droppedBytes: before.bytes,
    droppedEvents: before.events,
    removed: [],
    beheaded: undefined,
    beheadedIsStale: false,
  };
  return {
    get droppedBytes() {
      return state.droppedBytes;
    },
    get droppedEvents() {
      return state.droppedEvents;
    },
    push(piece, maxBytes) {
      state.pieces.push(piece);
      state.bytes += bytesOf(piece);
      fit(state, maxBytes);
    },
    rows: () => [...(state.beheaded === undefined ? [] : [state.beheaded]), ...rowsOf(state)],
    flush: () => flush(state),
  };
}
