import { createJobForge, type JobForge } from '@controlplane/jobforge';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { blockRunner, HEARTBEAT_MS, LEASE_MS } from './blocked-runner.js';
import { endProcesses } from './processes.js';

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

it.each(['push', 'websocket', 'long-poll'])(
  'by %s a handler that blocks its event loop for longer than its lease keeps it, runs once, and gets nothing new meanwhile',
  async (delivery) => {
    const seen = await blockRunner(forge, { ms: LEASE_MS * 3, DELIVERY: delivery });
    expect(seen.result).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(seen.runs).toHaveLength(1);
    expect(seen.gaps.medianMs).toBeLessThan(HEARTBEAT_MS * 1.3);
    expect(seen.gaps.longestMs).toBeLessThan(LEASE_MS);
    expect(seen.stalledMs).toBeGreaterThan(LEASE_MS * 2);
    expect(seen.statuses).not.toContain('offline');
    expect(seen.other).toMatchObject({ stateMeanwhile: 'queued', result: { success: true } });
    expect(seen.after.stalledMs).toBe(0);
  },
);
