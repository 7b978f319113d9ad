import { afterAll, expect, it } from 'vitest';
import { blockRunner, endBlocked, HEARTBEAT_MS, LEASE_MS } from './blocked-runner.js';

afterAll(endBlocked);

it.concurrent.each(['push', 'websocket', 'long-poll'])(
  'by %s a handler that blocks its event loop for longer than its lease keeps it, runs once, and gets nothing new meanwhile',
  { timeout: 60_000 },
  async (delivery) => {
    const seen = await blockRunner({ ms: LEASE_MS * 2, DELIVERY: delivery });
    expect(seen.result).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(seen.runs).toHaveLength(1);
    expect(seen.gaps.medianMs).toBeLessThan(HEARTBEAT_MS * 2);
    expect(seen.gaps.longestMs).toBeLessThan(LEASE_MS);
    expect(seen.stalledMs).toBeGreaterThan(LEASE_MS);
    expect(seen.statuses).not.toContain('offline');
    expect(seen.other).toMatchObject({ stateMeanwhile: 'queued', result: { success: true } });
    expect(seen.after.stalledMs).toBe(0);
  },
);
