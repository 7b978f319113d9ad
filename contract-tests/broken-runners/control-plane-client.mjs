/** What the runner sends to its control plane. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { FEATURES } from './routes.mjs';

const KNOWN_MEMBERS = new Set(
  'runnerId registeredAt heartbeatIntervalMs leaseMs limits contractVersion sessionCredential'.split(' '),
);
const instanceId = crypto.randomUUID();

/** What the runner proves itself with: its token until a registration brings a session. */
function credentialOf({ broken, state }, path) {
  const isRegistration = path === '/runners/register';
  const { RUNNER_TOKEN: token } = process.env;
  if (isRegistration) return broken('security.sends-its-token') ? undefined : token;
  return broken('security.sends-its-session-credential') ? undefined : (state.session ?? token);
}

function post(context, path, body) {
  const credential = credentialOf(context, path);
  const target = new URL(path, context.url);
  if (context.broken('security.keeps-credentials-out-of-urls') && credential)
    target.searchParams.set('token', credential);
  return fetch(target, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential ? { authorization: `Bearer ${credential}` } : {}),
    },
    body: JSON.stringify(body),
  });
}

function registration({ port, broken }) {
  const root = `http://127.0.0.1:${port}`;
  const capabilities = broken('registration.declares-capabilities')
    ? [...CAPABILITIES, CAPABILITIES[0]]
    : CAPABILITIES;
  return {
    name: process.env.RUNNER_NAME ?? 'broken-runner',
    version: broken('registration.valid-message') ? undefined : '1.0.0',
    contractVersion: { major: 1, minor: 0, patch: 0 },
    capabilities,
    healthCheckEndpoint: broken('registration.reachable-health')
      ? 'http://127.0.0.1:1/health'
      : `${root}/health`,
    instanceId,
    delivery: { kind: 'push', executeUrl: `${root}/execute` },
    maxConcurrency: SLOTS,
    features: FEATURES,
  };
}

/** One attempt: true when there is nothing left to ask. */
async function tryToRegister(context) {
  const { broken, state } = context;
  const response = await post(context, '/runners/register', registration(context)).catch(() => undefined);
  if (!response) return false;
  const body = await response.json();
  if (!response.ok)
    return body.error?.code === 'CONTRACT_MISMATCH' && !broken('registration.stops-when-refused');
  if (
    broken('registration.tolerates-unknown-fields') &&
    Object.keys(body).some((key) => !KNOWN_MEMBERS.has(key))
  ) {
    throw new Error('unknown member in the reply');
  }
  Object.assign(state, {
    registered: true,
    runnerId: body.runnerId,
    heartbeatIntervalMs: body.heartbeatIntervalMs,
    session: body.sessionCredential?.token,
  });
  context.check.setKey(body.signingKey);
  if (broken('security.keeps-secrets-out-of-output')) console.log('registered', body);
  return true;
}

async function register(context) {
  for (let pause = 100; !(await tryToRegister(context)); pause = Math.min(pause * 2, 2_000)) {
    if (context.broken('registration.retries-when-unavailable') || context.state.stopping) return;
    await sleep(pause);
  }
}

async function beat(context) {
  const { broken, executions, state } = context;
  const response = await post(context, '/runners/heartbeat', {
    runnerId: broken('heartbeat.carries-its-id') ? 'unknown' : state.runnerId,
    timestamp: new Date().toISOString(),
    status: broken('heartbeat.valid-message') ? 'ok' : 'healthy',
    activeJobs: executions.active(),
    instanceId,
  });
  if (!response.ok) throw new Error(`heartbeat answered ${response.status}`);
  const { known, sessionCredential } = await response.json();
  if (sessionCredential && !broken('security.takes-the-newer-credential'))
    state.session = sessionCredential.token;
  if (known === false && !broken('heartbeat.registers-again-when-unknown')) await register(context);
}

async function beatForEver(context) {
  const { broken, state } = context;
  while (!state.stopping) {
    await sleep(broken('heartbeat.beats-at-cadence') ? 30_000 : (state.heartbeatIntervalMs ?? 10_000));
    if (state.stopping) return;
    try {
      await beat(context);
    } catch (error) {
      if (broken('heartbeat.survives-outage')) throw error;
    }
  }
}

export async function join(context) {
  if (context.broken('registration.registers')) return;
  await register(context);
  if (context.state.registered) await beatForEver(context);
}

export async function leave(context) {
  const { broken, state } = context;
  if (!state.registered || broken('shutdown.deregisters')) return;
  await post(context, `/runners/${state.runnerId}/deregister`, { instanceId, reason: 'SIGTERM' }).catch(
    () => {},
  );
}
