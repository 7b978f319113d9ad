import { describe, expect, it } from 'vitest';
import type { Exchange } from '../harness/exchange.js';
import { timelineOf } from './timeline.js';

const exchange = (count: number, more: Partial<Exchange> = {}): Exchange => ({
  request: { method: 'POST', url: 'http://127.0.0.1/execute' },
  status: 200,
  headers: {},
  text: '',
  json: undefined,
  lines: Array.from({ length: count }, (_, index) => ({ text: `line ${index}`, afterMs: index * 10 + 0.4 })),
  durationMs: 900.4,
  cut: false,
  ...more,
});

describe('timelineOf', () => {
  it('tells what arrived when, and how the reply ended', () => {
    expect(timelineOf(exchange(2))).toEqual([
      { afterMs: 0, text: 'line 0' },
      { afterMs: 10, text: 'line 1' },
      { afterMs: 900, text: 'the reply ended (HTTP 200)' },
    ]);
    expect(timelineOf(exchange(2, { cut: true }))?.at(-1)?.text).toBe('the connection closed (HTTP 200)');
  });

  it('leaves the middle of a long stream out, and says how much', () => {
    const texts = timelineOf(exchange(500))?.map(({ text }) => text);
    expect(texts).toHaveLength(14);
    expect(texts?.slice(7, 10)).toEqual(['line 7', '… 488 lines more', 'line 496']);
  });

  it('shortens long lines', () => {
    const lines = [1, 2].map(() => ({ text: 'x'.repeat(100_000), afterMs: 0 }));
    expect(timelineOf(exchange(0, { lines }))?.[0]?.text.length).toBeLessThan(200);
  });

  it('is not there for a reply that is no stream', () => {
    expect(timelineOf(exchange(1))).toBeUndefined();
  });
});
