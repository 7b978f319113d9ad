/** What a runner that dials out says of itself. */
import { CAPABILITIES, SLOTS } from '../capabilities.mjs';

const instanceId = crypto.randomUUID();

export function registration(kind, held, { breaks }) {
  return {
    name: process.env.RUNNER_NAME ?? 'broken-runner',
    version: '1.0.0',
    contractVersion: { major: 1, minor: 0, patch: 0 },
    capabilities: CAPABILITIES,
    instanceId,
    ...(breaks('says-its-delivery') ? {} : { delivery: { kind } }),
    maxConcurrency: SLOTS,
    held: breaks('tells-held-executions') ? [] : held,
  };
}

export function heartbeat({ state, held }) {
  return {
    runnerId: state.runnerId,
    instanceId,
    timestamp: new Date().toISOString(),
    status: 'healthy',
    activeJobs: held.running().length,
    executions: held.running(),
    draining: state.draining,
  };
}

export { instanceId };
