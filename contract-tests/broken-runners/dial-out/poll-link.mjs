/** The link by long polls: registers, polls, claims and tells by requests. */
import { setTimeout as sleep } from 'node:timers/promises';
import { SLOTS } from '../capabilities.mjs';
import { batchOf, leaseOf } from './batches.mjs';
import { afterMsOf, pauseMs } from './pauses.mjs';
import { heartbeat, instanceId, registration } from './registration.mjs';

const LOST = new Set(['LEASE_SUPERSEDED', 'EXECUTION_NOT_FOUND', 'VALIDATION_ERROR']);
const POLL_LIMIT_MS = 40_000;

function credentialFor(path, { state, breaks }) {
  const token = process.env.RUNNER_TOKEN;
  if (path === '/runners/register' || !state.session || breaks('uses-session-credential'))
    return breaks('authenticates') ? undefined : token;
  return state.session;
}

/** Posts; undefined where nothing came back. */
async function post(context, path, { limitMs = 10_000, ...body }) {
  const credential = credentialFor(path, context);
  const query = credential && context.breaks('keeps-credential-out-of-url') ? `?token=${credential}` : '';
  try {
    const response = await fetch(`${context.url}${path}${query}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(credential ? { authorization: `Bearer ${credential}` } : {}),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(limitMs),
    });
    const value = await response.json();
    return response.ok ? { value } : { error: value.error };
  } catch {
    return undefined;
  }
}

/** Asks until there is an answer that is not to be tried again. */
async function persist(context, ask) {
  for (let attempt = 0; ; attempt += 1) {
    const answer = await ask();
    if (answer?.value || (answer && (!answer.error.retryable || LOST.has(answer.error.code)))) return answer;
    if (context.breaks('survives-faults')) return undefined;
    const retryAfterSeconds = answer?.error.retryAfter;
    await sleep(pauseMs(attempt, { breaks: context.breaks, retryAfterSeconds }));
  }
}

function takeSession({ state, breaks }, { sessionCredential }) {
  if (sessionCredential && !(state.session && breaks('renews-session-credential')))
    state.session = sessionCredential.token;
}

async function register(context) {
  const { held, state } = context;
  const answer = await persist(
    { ...context, breaks: (name) => name !== 'survives-faults' && context.breaks(name) },
    () => post(context, '/runners/register', registration('long-poll', held.ids(), context)),
  );
  if (answer.error) {
    state.left = true;
    return;
  }
  const { value } = answer;
  takeSession(context, value);
  Object.assign(state, {
    runnerId: value.runnerId,
    maxBodyBytes: value.limits?.maxBodyBytes,
    registered: true,
  });
  state.intervalMs = value.heartbeatIntervalMs;
  held.onLinkUp();
}

async function accept(context, entry) {
  const { executionId } = entry;
  const answer = await persist(context, () =>
    post(context, `/executions/${executionId}/accept`, leaseOf(entry, context)),
  );
  if (!answer) return context.held.giveUp(executionId);
  return context.held.confirm(executionId, answer.error?.code);
}

async function tell(context, entry) {
  const { held } = context;
  const { executionId } = entry;
  // What happens in one turn leaves in one request.
  await new Promise((resolve) => setImmediate(resolve));
  for (let unsent = held.unsent(entry); unsent.length > 0; unsent = held.unsent(entry)) {
    const events = batchOf(unsent, context);
    const send = () =>
      post(context, `/executions/${executionId}/events`, { ...leaseOf(entry, context), events });
    const answer = context.breaks('resends-until-acknowledged')
      ? ((await send()) ?? { value: { acknowledgedSeq: events.at(-1).seq } })
      : await persist(context, send);
    if (!answer) return held.giveUp(executionId);
    if (answer.error) return held.acknowledge(executionId, -1, answer.error.code);
    entry.sentSeq = Math.max(...events.map(({ seq }) => seq));
    held.acknowledge(executionId, answer.value.acknowledgedSeq);
  }
  return undefined;
}

function createSay(context) {
  const telling = new Set();
  const events = (entry) => {
    if (telling.has(entry)) return;
    telling.add(entry);
    void tell(context, entry).finally(() => {
      telling.delete(entry);
      if (context.held.has(entry) && context.held.unsent(entry).length > 0 && !context.breaks('seq-rises'))
        events(entry);
    });
  };
  return { accept: (entry) => void accept(context, entry), events };
}

async function obey(context, directives) {
  for (const directive of directives ?? []) {
    const { kind, executionId } = directive;
    if (kind === 'cancel') context.held.cancel(executionId);
    if (kind === 'drain' && !context.breaks('drains-on-directive')) void context.leave('drain');
    if (kind === 'reconnect') await sleep(afterMsOf(directive, context));
    if (kind === 'register' || kind === 'reconnect') await register(context);
  }
}

async function take(context, frames) {
  for (const { type, executions, directives } of frames) {
    try {
      if (type === 'offers') for (const body of executions) context.held.offer(body);
    } catch (error) {
      console.error(error);
    }
    if (type === 'directives') await obey(context, directives);
  }
}

function pollBody({ held, state, breaks }) {
  if (breaks('valid-messages')) return { instanceId: 'no identifier' };
  if (breaks('names-free-slots')) return { instanceId };
  const isFull = state.draining && !breaks('drains-on-directive');
  return { instanceId, maxExecutions: isFull ? 0 : Math.max(0, SLOTS - held.running().length) };
}

/** What follows a poll without an answer, or one that was refused. @returns whether to poll again */
async function onFailed(context, answer) {
  const { breaks } = context;
  if (!answer && breaks('survives-broken-poll')) return false;
  if (!answer && breaks('survives-lost-connection')) context.held.onLinkLost();
  if (answer?.error.code === 'RUNNER_NOT_FOUND' && !breaks('registers-again-when-unknown'))
    await register(context);
  return true;
}

async function pollForEver(context) {
  const { state, breaks } = context;
  const limitMs = breaks('waits-while-held') ? 5_000 : POLL_LIMIT_MS;
  for (let attempt = 0; !state.left; attempt += 1) {
    const answer = await post(context, `/runners/${state.runnerId}/poll`, { limitMs, ...pollBody(context) });
    if (answer?.value) {
      attempt = -1;
      await take(context, answer.value.frames);
      if (breaks('polls-again')) return;
      continue;
    }
    if (!(await onFailed(context, answer))) return;
    await sleep(pauseMs(attempt, { breaks, retryAfterSeconds: answer?.error.retryAfter }));
  }
}

async function beatForEver(context) {
  const { state } = context;
  while (!state.left) {
    await sleep(state.intervalMs ?? 10_000);
    if (state.left) return;
    const answer = await post(context, '/runners/heartbeat', heartbeat(context));
    if (!answer?.value) continue;
    takeSession(context, answer.value);
    await obey(context, answer.value.directives);
    if (answer.value.known === false) await register(context);
  }
}

export async function runPollLink(context) {
  context.say = createSay(context);
  context.deregister = async () => {
    const { runnerId } = context.state;
    if (runnerId) await post(context, `/runners/${runnerId}/deregister`, { instanceId, reason: 'stopped' });
  };
  await register(context);
  if (!context.state.left) await Promise.all([pollForEver(context), beatForEver(context)]);
}
