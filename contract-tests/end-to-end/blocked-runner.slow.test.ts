import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockRunner, HEARTBEAT_MS, LEASE_MS } from './blocked-runner.js';
import { endProcesses } from './processes.js';

const A_MINUTE_MS = 60_000;
let forge: JobForge;

beforeEach(async () => {
  forge = await createJobForge({
    store: 'memory',
    listen: { port: 0 },
    limits: { leaseMs: LEASE_MS, heartbeatIntervalMs: HEARTBEAT_MS },
  }).start();
});
afterEach(async () => {
  await endProcesses();
  await forge.stop({ drainMs: 0 });
});

it(
  'a handler that blocks its event loop for a minute keeps its lease, runs once, and its beats arrive on time',
  { timeout: 90_000 },
  async () => {
    const seen = await blockRunner(forge, { ms: A_MINUTE_MS });
    expect(seen.result).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(seen.runs).toHaveLength(1);
    expect(seen.gaps.medianMs).toBeLessThan(HEARTBEAT_MS * 1.3);
    expect(seen.gaps.longestMs).toBeLessThan(LEASE_MS);
    expect(seen.stalledMs).toBeGreaterThan(A_MINUTE_MS - HEARTBEAT_MS * 2);
    expect(seen.statuses).not.toContain('offline');
    expect(seen.other).toMatchObject({ stateMeanwhile: 'queued', result: { success: true } });
  },
);

it('without the watchdog the same handler loses its lease', async () => {
  const seen = await blockRunner(forge, { ms: LEASE_MS * 10, WATCHDOG: 'off' });
  expect(seen.result).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
});
