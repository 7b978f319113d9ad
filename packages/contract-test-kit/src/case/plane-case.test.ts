import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exchange } from '../harness/exchange.js';
import { jobWhere, type PlaneContext } from './plane-case.js';

/** A control plane whose job runs for ever, and how often it was asked. */
function endlessJob(): { readonly context: PlaneContext; asked(): number } {
  let asked = 0;
  const exchange: Exchange = {
    request: { method: 'GET', url: 'http://127.0.0.1:1/jobs/j' },
    ...{ status: 200, headers: {}, text: '', json: { status: 'running' }, lines: [] },
    ...{ durationMs: 0, cut: false },
  };
  const context: PlaneContext = {
    url: 'http://127.0.0.1:1',
    token: undefined,
    signal: new AbortController().signal,
    ask: async () => {
      asked += 1;
      return exchange;
    },
    runner: () => Promise.reject(new Error('not played here')),
    pushedRunner: () => Promise.reject(new Error('not played here')),
    enrollment: async () => undefined,
  };
  return { context, asked: () => asked };
}

describe('jobWhere', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([
    [3_000, 100, 110],
    [100_000, 200, 210],
  ])('over %i ms asks between %i and %i times', async (ms, least, most) => {
    const { context, asked } = endlessJob();
    const looking = jobWhere(context, 'j', { fits: (status) => status === 'completed', ms });
    await vi.advanceTimersByTimeAsync(ms + 1_000);
    expect((await looking).json).toEqual({ status: 'running' });
    expect(asked()).toBeGreaterThanOrEqual(least);
    expect(asked()).toBeLessThanOrEqual(most);
  });
});
