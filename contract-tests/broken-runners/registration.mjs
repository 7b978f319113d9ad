/** How the runner joins its control plane. */
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPABILITIES, SLOTS } from './capabilities.mjs';
import { post } from './control-plane-post.mjs';
import { FEATURES } from './routes.mjs';

const MEMBERS = 'runnerId registeredAt heartbeatIntervalMs leaseMs limits contractVersion sessionCredential';
const KNOWN_MEMBERS = new Set(MEMBERS.split(' '));
const HOUR_MS = 3_600_000;
const instanceId = crypto.randomUUID();

export const instanceOf = ({ broken }) =>
  broken('registration.names-its-process') ? 'the-only-process' : instanceId;

function registration({ port, broken }) {
  const root = process.env.RUNNER_PUBLIC_URL ?? `http://127.0.0.1:${port}`;
  const capabilities = broken('registration.declares-capabilities')
    ? [...CAPABILITIES, CAPABILITIES[0]]
    : CAPABILITIES;
  const executePath = broken('registration.serves-its-execute-url') ? 'run' : 'execute';
  return {
    name: process.env.RUNNER_NAME ?? 'broken-runner',
    version: broken('registration.valid-message') ? undefined : '1.0.0',
    contractVersion: { major: 1, minor: 0, patch: 0 },
    capabilities,
    healthCheckEndpoint: broken('registration.reachable-health')
      ? 'http://127.0.0.1:1/health'
      : `${root}/health`,
    instanceId: instanceOf({ broken }),
    delivery: { kind: 'push', executeUrl: `${root}/${executePath}` },
    maxConcurrency: broken('registration.declares-its-slots') ? undefined : SLOTS,
    features: FEATURES,
  };
}

/** Whether a refusal is for good. */
function isFinal(code, broken) {
  if (code === 'CONTRACT_MISMATCH') return !broken('registration.stops-when-refused');
  return code === 'TOKEN_REVOKED' && !broken('registration.stops-when-revoked');
}

/** What a careless runner stumbles over in the reply to its registration. */
function stumblesOver({ contractVersion, registeredAt, ...rest }, broken) {
  const isSkewed = Math.abs(Date.parse(registeredAt) - Date.now()) > HOUR_MS;
  if (isSkewed && broken('registration.tolerates-clock-skew')) return 'a wrong clock';
  if (typeof contractVersion === 'string' && broken('registration.accepts-version-text')) return 'a text';
  if (contractVersion?.minor > 0 && broken('registration.accepts-newer-minor')) return 'a newer version';
  const isUnknown = Object.keys(rest).some((key) => !KNOWN_MEMBERS.has(key));
  return isUnknown && broken('registration.tolerates-unknown-fields') ? 'an unknown member' : undefined;
}

/** One attempt: `done` when there is nothing left to ask. */
async function tryToRegister(context) {
  const { broken, state } = context;
  const response = await post(context, '/runners/register', registration(context)).catch(() => undefined);
  if (!response) return { done: false };
  const body = await response.json();
  if (!response.ok)
    return {
      done: isFinal(body.error?.code, broken),
      waitMs: Number(response.headers.get('retry-after') ?? 0) * 1_000,
    };
  const obstacle = stumblesOver(body, broken);
  if (obstacle) throw new Error(`${obstacle} in the reply`);
  Object.assign(state, {
    registered: true,
    receiving: true,
    runnerId: body.runnerId,
    heartbeatIntervalMs: body.heartbeatIntervalMs,
    session: body.sessionCredential?.token,
  });
  context.check.setKey(body.signingKey);
  if (broken('security.keeps-secrets-out-of-output')) console.log('registered', body);
  return { done: true };
}

export async function register(context) {
  const { broken, state } = context;
  for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
    const { done, waitMs = 0 } = await tryToRegister(context);
    if (done || broken('registration.retries-when-unavailable') || state.stopping) return;
    const isHasty = broken('registration.backs-off');
    await sleep(isHasty ? 20 : Math.max(pause, broken('registration.waits-as-told') ? 0 : waitMs));
  }
}

export async function leave(context) {
  const { broken, state } = context;
  if (!state.registered || broken('shutdown.deregisters')) return;
  const farewell = { instanceId: instanceOf(context), reason: 'SIGTERM' };
  await post(context, `/runners/${state.runnerId}/deregister`, farewell).catch(() => {});
}
