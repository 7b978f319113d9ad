import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterAll, expect, it } from 'vitest';
import { blockRunner, HEARTBEAT_MS, LEASE_MS } from './blocked-runner.js';
import { endProcesses } from './processes.js';

const A_MINUTE_MS = 60_000;
const forges: JobForge[] = [];

async function openForge(): Promise<JobForge> {
  const forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    limits: { leaseMs: LEASE_MS, heartbeatIntervalMs: HEARTBEAT_MS },
  }).start();
  forges.push(forge);
  return forge;
}

afterAll(async () => {
  await endProcesses();
  await Promise.all(forges.map((forge) => forge.stop({ drainMs: 0 })));
});

it.concurrent.each(['push', 'websocket', 'long-poll'])(
  'by %s a handler that blocks its event loop for a minute keeps its lease, runs once, and its beats arrive on time',
  { timeout: 90_000 },
  async (delivery) => {
    const seen = await blockRunner(await openForge(), { ms: A_MINUTE_MS, DELIVERY: delivery });
    expect(seen.result).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(seen.runs).toHaveLength(1);
    expect(seen.gaps.medianMs).toBeLessThan(HEARTBEAT_MS * 1.3);
    expect(seen.gaps.longestMs).toBeLessThan(LEASE_MS);
    expect(seen.stalledMs).toBeGreaterThan(A_MINUTE_MS - HEARTBEAT_MS * 2);
    expect(seen.statuses).not.toContain('offline');
    expect(seen.other).toMatchObject({ stateMeanwhile: 'queued', result: { success: true } });
  },
);

it.concurrent('without the watchdog the same handler loses its lease', async () => {
  const seen = await blockRunner(await openForge(), { ms: LEASE_MS * 10, WATCHDOG: 'off' });
  expect(seen.result).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
});
