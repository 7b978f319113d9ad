/** What the runner sends to its control plane. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { FEATURES } from './routes.mjs';

const KNOWN_MEMBERS = new Set(['runnerId', 'registeredAt', 'heartbeatIntervalMs', 'leaseMs', 'limits', 'contractVersion']);

export function createControlPlaneClient({ url, port, state, executions, broken }) {
  const instanceId = crypto.randomUUID();
  const root = `http://127.0.0.1:${port}`;

  const post = (path, body) =>
    fetch(new URL(path, url), { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  function registration() {
    const capabilities = broken('registration.declares-capabilities') ? [...CAPABILITIES, CAPABILITIES[0]] : CAPABILITIES;
    const message = {
      name: process.env.RUNNER_NAME ?? 'broken-runner',
      version: '1.0.0',
      contractVersion: { major: 1, minor: 0, patch: 0 },
      capabilities,
      healthCheckEndpoint: broken('registration.reachable-health') ? 'http://127.0.0.1:1/health' : `${root}/health`,
      instanceId,
      delivery: { kind: 'push', executeUrl: `${root}/execute` },
      maxConcurrency: SLOTS,
      features: FEATURES,
    };
    if (broken('registration.valid-message')) delete message.version;
    return message;
  }

  /** One attempt: true when there is nothing left to do. */
  async function tryToRegister() {
    try {
      const response = await post('/runners/register', registration());
      const body = await response.json();
      if (!response.ok) return body.error?.code === 'CONTRACT_MISMATCH' && !broken('registration.stops-when-refused');
      if (broken('registration.tolerates-unknown-fields') && Object.keys(body).some((key) => !KNOWN_MEMBERS.has(key))) throw Object.assign(new Error('unknown member in the reply'), { fatal: true });
      Object.assign(state, { registered: true, runnerId: body.runnerId, heartbeatIntervalMs: body.heartbeatIntervalMs });
      return true;
    } catch (error) {
      if (error.fatal) throw error;
      return false;
    }
  }

  async function register() {
    for (let pause = 100; !(await tryToRegister()); pause = Math.min(pause * 2, 2_000)) {
      if (broken('registration.retries-when-unavailable') || state.stopping) return;
      await sleep(pause);
    }
  }

  async function beat() {
    const response = await post('/runners/heartbeat', {
      runnerId: broken('heartbeat.carries-its-id') ? 'unknown' : state.runnerId,
      timestamp: new Date().toISOString(),
      status: broken('heartbeat.valid-message') ? 'ok' : 'healthy',
      activeJobs: executions.active(),
      instanceId,
    });
    if (!response.ok) throw new Error(`heartbeat answered ${response.status}`);
    const { known } = await response.json();
    if (known === false && !broken('heartbeat.registers-again-when-unknown')) await register();
  }

  async function beatForEver() {
    while (!state.stopping) {
      await sleep(broken('heartbeat.beats-at-cadence') ? 30_000 : (state.heartbeatIntervalMs ?? 10_000), undefined, { ref: false });
      if (state.stopping) return;
      try {
        await beat();
      } catch (error) {
        if (broken('heartbeat.survives-outage')) throw error;
      }
    }
  }

  return {
    async join() {
      if (broken('registration.registers')) return;
      await register();
      if (state.registered) await beatForEver();
    },
    async leave() {
      if (!state.registered || broken('shutdown.deregisters')) return;
      await post(`/runners/${state.runnerId}/deregister`, { instanceId, reason: 'SIGTERM' }).catch(() => {});
    },
  };
}
