import type { ExecutionEvent } from '@controlplane/contracts';
import { expect, test } from 'vitest';
import { batchOf } from './event-batch.js';

const KB = 1024;
const eventsOf = (count: number): ExecutionEvent[] =>
  Array.from({ length: count }, (_one, seq) => ({
    type: 'progress',
    executionId: 'e1',
    seq,
    at: '2026-01-01T00:00:00.000Z',
    fraction: 0.5,
  }));

test.each([
  { what: 'all of a few small events', count: 3, bytes: 100, maxKb: 4096, expected: 3 },
  { what: 'a thousand events at most', count: 5_000, bytes: 100, maxKb: 4096, expected: 1_000 },
  { what: 'half a megabyte at most', count: 100, bytes: 64 * KB, maxKb: 4096, expected: 7 },
  { what: 'what the control plane reads at most', count: 100, bytes: 10 * KB, maxKb: 101, expected: 9 },
  { what: 'one event, however large it is', count: 2, bytes: 3_000 * KB, maxKb: 4096, expected: 1 },
  { what: 'nothing where there is nothing', count: 0, bytes: 1, maxKb: 4096, expected: 0 },
])('a batch is $what', ({ count, bytes, maxKb, expected }) => {
  let weighed = 0;
  const batch = batchOf(eventsOf(count), maxKb * KB, ({ seq }) => {
    weighed++;
    return { seq, bytes };
  });
  expect(batch.map(({ seq }) => seq)).toEqual(Array.from({ length: expected }, (_one, seq) => seq));
  expect(weighed).toBeLessThanOrEqual(expected + 1);
});
