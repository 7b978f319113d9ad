/** The runner's signs of life, and what it does with the replies. */
import { setTimeout as sleep } from 'node:timers/promises';
import { post } from './control-plane-post.mjs';
import { instanceOf, register } from './registration.mjs';

const startedAt = new Date().toISOString();

function activeJobs({ executions, broken }) {
  if (broken('heartbeat.counts-active-executions')) return 0;
  return broken('heartbeat.counts-nothing-when-idle') ? executions.total() : executions.active();
}

function compose(context) {
  const { broken, executions, state } = context;
  return {
    runnerId: broken('heartbeat.carries-its-id') ? 'unknown' : state.runnerId,
    timestamp: broken('heartbeat.tells-the-time') ? startedAt : new Date().toISOString(),
    status: broken('heartbeat.valid-message') ? 'ok' : 'healthy',
    activeJobs: activeJobs(context),
    instanceId: broken('heartbeat.carries-its-instance') ? 'another-process' : instanceOf(context),
    executions: broken('heartbeat.names-running-executions') ? [] : executions.running(),
  };
}

async function follow(directive, context) {
  const { broken, executions } = context;
  if (directive.kind === 'drain' && !broken('heartbeat.obeys-drain')) executions.refuse();
  if (directive.kind === 'register' && !broken('heartbeat.obeys-register')) await register(context);
  if (directive.kind === 'cancel' && !broken('heartbeat.obeys-cancel'))
    executions.find(directive.executionId)?.controller.abort(directive.reason);
}

async function takeReply(reply, context) {
  const { broken, state } = context;
  const { known, receiving = true, sessionCredential, heartbeatIntervalMs, directives = [] } = reply;
  state.receiving = receiving;
  if (sessionCredential && !broken('security.takes-the-newer-credential'))
    state.session = sessionCredential.token;
  if (heartbeatIntervalMs && !broken('heartbeat.takes-a-new-interval'))
    state.heartbeatIntervalMs = heartbeatIntervalMs;
  for (const directive of directives) await follow(directive, context);
  const isUnknown = known === false && !broken('heartbeat.registers-again-when-unknown');
  if (isUnknown || broken('registration.registers-once')) await register(context);
}

async function beat(context) {
  const response = await post(context, '/runners/heartbeat', compose(context));
  if (!response.ok) throw new Error(`heartbeat answered ${response.status}`);
  await takeReply(await response.json(), context);
}

function pauseOf({ broken, state }) {
  if (broken('heartbeat.not-too-often')) return 20;
  return broken('heartbeat.beats-at-cadence') ? 30_000 : (state.heartbeatIntervalMs ?? 10_000);
}

/** Whether a beat that failed ends a careless runner. */
function isFatal(error, broken) {
  if (broken('heartbeat.survives-unreadable-replies')) return error instanceof SyntaxError;
  return broken('heartbeat.survives-outage');
}

export async function beatForEver(context) {
  const { broken, state } = context;
  while (!state.stopping) {
    await sleep(pauseOf(context));
    if (state.stopping) return;
    try {
      state.beating = beat(context);
      await state.beating;
      state.missed = 0;
    } catch (error) {
      state.missed += 1;
      if (isFatal(error, broken)) throw error;
    }
  }
}
