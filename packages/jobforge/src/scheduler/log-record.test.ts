import { describe, expect, it } from 'vitest';
import { createLogRecord, type LogRecord } from './log-record.js';
import type { LogPiece, LogRow } from './log-row.js';

const piece = (eventSeq: number, message: string, extra: Partial<LogPiece> = {}): LogPiece => ({
  attempt: 1,
  eventSeq,
  at: 0,
  level: 'info',
  message,
  ...extra,
});

/** Keeps rows as the store would. */
function createDisk() {
  const rows = new Map<number, LogRow>();
  return {
    put: (row: LogRow | undefined): void => void (row && rows.set(row.eventSeq, row)),
    flush(record: LogRecord): void {
      const { put, remove } = record.flush();
      for (const row of put) rows.set(row.eventSeq, row);
      for (const { eventSeq } of remove) rows.delete(eventSeq);
    },
    rows: (): LogRow[] => [...rows.values()].sort((left, right) => left.eventSeq - right.eventSeq),
  };
}

interface Kept {
  readonly head: string;
  readonly tail: string;
  readonly dropped: number;
}

function kept(rows: readonly LogRow[]): Kept {
  let [head, tail, dropped, isTail] = ['', '', 0, false];
  for (const { data } of rows) {
    head += data.head ?? '';
    if (data.gap !== undefined) [isTail, dropped] = [true, data.gap.bytes];
    if (isTail) tail += data.message;
    else head += data.message;
  }
  return { head, tail, dropped };
}

const CHARACTERS = ['a', 'b', '\n', 'é', '€', '漢', '😀'];
const NEXT = ['go on', 'go on', 'flush', 'restart'] as const;

/** A log of random pieces, and what happens after each; the same for the same seed. */
function scenario(seed: number) {
  let state = seed;
  const below = (count: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 16) % count;
  };
  const some = <T>(maxCount: number, make: () => T): T[] => Array.from({ length: below(maxCount + 1) }, make);
  return {
    cap: below(120),
    steps: some(40, () => ({
      message: some(30, () => CHARACTERS[below(CHARACTERS.length)] ?? '').join(''),
      next: NEXT[below(NEXT.length)] ?? 'go on',
    })),
  };
}

describe('the record of a log', () => {
  it('keeps everything up to its bytes', () => {
    const [record, disk] = [createLogRecord(100), createDisk()];
    for (let seq = 0; seq < 10; seq += 1) disk.put(record.add(piece(seq, `${seq}`.repeat(10))));
    disk.flush(record);
    expect(kept(disk.rows())).toEqual({
      head: Array.from({ length: 10 }, (_, seq) => `${seq}`.repeat(10)).join(''),
      tail: '',
      dropped: 0,
    });
    expect(record.droppedBytes).toBe(0);
  });

  it('keeps of one burst exactly its bytes: the beginning, the end, and how much is missing', () => {
    const [record, disk] = [createLogRecord(100), createDisk()];
    disk.put(record.add(piece(0, `${'a'.repeat(150)}${'b'.repeat(150)}`)));
    disk.flush(record);
    expect(disk.rows()).toHaveLength(1);
    expect(kept(disk.rows())).toEqual({ head: 'a'.repeat(50), tail: 'b'.repeat(50), dropped: 200 });
  });

  it('leaves pieces out whole that have fields, and counts them', () => {
    const [record, disk] = [createLogRecord(100), createDisk()];
    for (let seq = 0; seq < 20; seq += 1)
      disk.put(record.add(piece(seq, 'x'.repeat(8), { fields: { a: seq % 10 } })));
    disk.flush(record);
    // 15 bytes each: three in each half, and the second half has what the first one leaves.
    expect(disk.rows().map(({ eventSeq }) => eventSeq)).toEqual([0, 1, 2, 17, 18, 19]);
    expect([record.droppedBytes, record.droppedEvents]).toEqual([14 * 15, 14]);
  });

  it('bounds the number of empty pieces', () => {
    const [record, disk] = [createLogRecord(100), createDisk()];
    for (let seq = 0; seq < 10_000; seq += 1) disk.put(record.add(piece(seq, '')));
    disk.flush(record);
    expect(disk.rows()).toHaveLength(5_000);
    expect([record.droppedBytes, record.droppedEvents]).toEqual([0, 5_000]);
  });

  it('is the same whenever it is flushed or restored: a prefix, a suffix, all bytes accounted for', () => {
    for (let seed = 1; seed <= 500; seed += 1) {
      const { cap, steps } = scenario(seed);
      let record = createLogRecord(cap);
      const disk = createDisk();
      for (const [seq, { message, next }] of steps.entries()) {
        disk.put(record.add(piece(seq, message)));
        if (next !== 'go on') disk.flush(record);
        if (next === 'restart') record = createLogRecord(cap, disk.rows());
      }
      disk.flush(record);
      const whole = steps.map(({ message }) => message).join('');
      const { head, tail, dropped } = kept(disk.rows());
      const bytes = Buffer.byteLength(head) + Buffer.byteLength(tail);
      const seen = `seed ${seed}`;
      expect(bytes, seen).toBeLessThanOrEqual(cap);
      expect(whole.startsWith(head), seen).toBe(true);
      expect(whole.endsWith(tail), seen).toBe(true);
      expect(bytes + record.droppedBytes, seen).toBe(Buffer.byteLength(whole));
      expect(tail === '' || dropped === record.droppedBytes, seen).toBe(true);
      // Short of its bytes only by the characters that would not fit.
      expect(record.droppedBytes === 0 || bytes > cap - 8, seen).toBe(true);
      // Whoever reads meanwhile sees the same.
      const fixed = disk.rows().filter((row) => record.isFixed(row));
      expect([...fixed, ...record.changing()], seen).toEqual(disk.rows());
    }
  });
});
