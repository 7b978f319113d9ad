import { afterAll, expect, it } from 'vitest';
import { blockRunner, endBlocked, HEARTBEAT_MS, LEASE_MS } from './blocked-runner.js';

const A_MINUTE_MS = 60_000;

afterAll(endBlocked);

it.concurrent.each(['push', 'websocket', 'long-poll'])(
  'by %s a handler that blocks its event loop for a minute keeps its lease, runs once, and its beats arrive on time',
  { timeout: 90_000 },
  async (delivery) => {
    const seen = await blockRunner({ ms: A_MINUTE_MS, DELIVERY: delivery });
    expect(seen.result).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(seen.runs).toHaveLength(1);
    expect(seen.gaps.medianMs).toBeLessThan(HEARTBEAT_MS * 2);
    expect(seen.gaps.longestMs).toBeLessThan(LEASE_MS);
    expect(seen.stalledMs).toBeGreaterThan(A_MINUTE_MS - LEASE_MS);
    expect(seen.statuses).not.toContain('offline');
    expect(seen.other).toMatchObject({ stateMeanwhile: 'queued', result: { success: true } });
  },
);

it.concurrent('without the watchdog the same handler loses its lease', async () => {
  const seen = await blockRunner({ ms: LEASE_MS * 3, WATCHDOG: 'off' });
  expect(seen.result).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
});
