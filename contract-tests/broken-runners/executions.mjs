/** Runs executions: admission, deadline, cancellation, events and their replay. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CAPABILITIES, HANDLERS, inputFaults, SLOTS } from './capabilities.mjs';
import { envelope } from './envelope.mjs';

const TIME_UP = 'time is up';

/** Why an execution is not taken; undefined when it is. */
function refusalOf(body, { broken, draining, taken }) {
  const capability = CAPABILITIES.find(({ id }) => id === body.capabilityId);
  if (!capability) {
    const details = broken('errors.keeps-secrets') ? [{ message: 'environment', value: process.env }] : [];
    const code = broken('errors.unknown-capability-has-its-code')
      ? 'EXECUTION_FAILED'
      : 'CAPABILITY_NOT_FOUND';
    const same = broken('errors.carries-fresh-ids') ? { id: 'error-1' } : {};
    return envelope(code, `no capability ${body.capabilityId}`, { details, ...same });
  }
  const faults = broken('execute.rejects-invalid-input') ? [] : inputFaults(capability, body.payload, broken);
  const details = broken('errors.names-the-path') ? [] : shown(faults, body, broken);
  if (faults.length > 0) return envelope('VALIDATION_ERROR', 'the input is invalid', { details });
  if (draining && !broken('shutdown.refuses-new-work'))
    return envelope('RUNNER_DRAINING', 'the runner is stopping');
  if (taken >= SLOTS && !broken('execute.refuses-beyond-its-slots'))
    return envelope('RUNNER_BUSY', 'every slot is taken');
  return undefined;
}

/** Faults as details: a careless runner says of a missing member only that the input is wrong. */
const shown = (faults, { payload }, broken) =>
  broken('errors.names-the-missing-member')
    ? faults.map((fault) => (fault.path[1] in payload ? fault : { ...fault, path: ['input'] }))
    : faults;

/** How far behind the clock of an event is. */
const lagOf = ({ type }, broken) => (broken('streaming.times-rise') && type === 'succeeded' ? 3_600_000 : 0);

/** An end without the secrets that came with its execution; data is what the capability meant to return. */
function withoutSecrets(event, { secrets = {} }, broken) {
  if (event.type === 'succeeded' || broken('security.hides-secrets-in-errors')) return event;
  let json = JSON.stringify(event);
  for (const value of Object.values(secrets)) json = json.replaceAll(value, '[redacted]');
  return JSON.parse(json);
}

/** An end whose error names what its request belongs to. */
function correlated(event, { metadata }, broken) {
  const { correlationId } = metadata ?? {};
  if (!event.error || correlationId === undefined || broken('errors.names-the-correlation')) return event;
  return { ...event, error: { ...event.error, correlationId } };
}

function createExecution(body, broken) {
  const executionId = broken('streaming.names-its-execution') ? body.jobId : (body.executionId ?? body.jobId);
  const firstSeq = broken('streaming.seq-rises-by-one') ? 1 : 0;
  const startedAt = performance.now();
  const execution = {
    body,
    events: [],
    listeners: new Set(),
    ended: false,
    controller: new AbortController(),
  };
  execution.emit = (event) => {
    const complete = {
      executionId,
      seq: execution.events.length + firstSeq,
      at: new Date(Date.now() - lagOf(event, broken)).toISOString(),
      ...event,
    };
    execution.events.push(complete);
    for (const listener of execution.listeners) listener(complete);
  };
  execution.done = new Promise((resolve) => {
    execution.finish = (end) => {
      if (execution.ended) return;
      const tookMs = Math.round(performance.now() - startedAt);
      const executionTimeMs = broken('execute.reports-its-time') ? 0 : tookMs;
      const event = { executionTimeMs, ...correlated(withoutSecrets(end, body, broken), body, broken) };
      execution.emit(event);
      if (broken('streaming.one-terminal-event')) execution.emit(event);
      execution.ended = true;
      resolve(event);
    };
  });
  return execution;
}

function failureOf(error, broken) {
  const retryable = broken('errors.says-whether-to-retry') || (error.retryable ?? true);
  const details = broken('security.hides-stack-traces') ? [{ message: error.stack }] : [];
  return {
    type: 'failed',
    error: envelope(error.code ?? 'EXECUTION_FAILED', error.message, { retryable, details }),
  };
}

/** What an execution that was aborted ends with. */
function abortedAs(reason, broken) {
  if (reason === TIME_UP) return { type: 'failed', error: envelope('EXECUTION_TIMEOUT', 'not done in time') };
  if (broken('cancellation.ends-as-cancelled'))
    return { type: 'failed', error: envelope('EXECUTION_FAILED', 'stopped') };
  return { type: 'cancelled', reason };
}

const GRACE_MS = 300;

/** Fails when work that was told to stop has not done so in time; a careless runner waits for it. */
async function givenUp({ signal }, broken) {
  await once(signal, 'abort');
  await sleep(broken('execute.gives-up-what-does-not-stop') ? 2_147_483_647 : GRACE_MS);
  throw new Error('it did not stop');
}

async function outcomeOf({ body, controller, emit }, broken) {
  const { signal } = controller;
  const limit = broken('execute.honours-timeout') ? 2_147_483_647 : (body.timeoutMs ?? 30_000);
  const timer = setTimeout(() => controller.abort(TIME_UP), limit);
  const given = { ...{ signal, emit, broken }, checkpoint: body.checkpoint };
  try {
    const work = HANDLERS[body.capabilityId](body.payload, given);
    return { type: 'succeeded', data: await Promise.race([work, givenUp(controller, broken)]) };
  } catch (error) {
    return signal.aborted ? abortedAs(signal.reason, broken) : failureOf(error, broken);
  } finally {
    clearTimeout(timer);
  }
}

/** Whether a careless runner forgets to free the slot of an execution that ended so. */
function leaks(outcome, { isLeft }, broken) {
  if (outcome.type === 'cancelled') return broken('cancellation.frees-the-slot');
  if (isLeft && broken('resilience.disconnect-frees-the-slot')) return true;
  if (outcome.error?.code === 'EXECUTION_TIMEOUT') return broken('execute.timeout-frees-the-slot');
  return outcome.type === 'failed' && broken('execute.failure-frees-the-slot');
}

/** Whether a careless runner does not remember an execution, asked for in this form. */
function forgets({ ended, events, form: before }, form, broken) {
  if (broken('streaming.concurrent-repeats-run-once')) return !ended;
  const end = events.at(-1)?.type;
  if (broken('streaming.repeats-failures')) return end === 'failed' && form === 'stream';
  if (broken('cancellation.stays-cancelled')) return end === 'cancelled';
  if (form !== 'json') return false;
  return before === 'json'
    ? broken('resilience.repeats-the-answer')
    : broken('streaming.answers-repeats-in-json');
}

export function createExecutions({ broken }) {
  const known = new Map();
  const hoard = [];
  let last = Promise.resolve();
  let taken = 0;
  let draining = false;

  async function run(execution) {
    taken += 1;
    if (!broken('streaming.accepted-first')) execution.emit({ type: 'accepted' });
    if (broken('performance.is-quick')) await sleep(200);
    if (broken('performance.keeps-its-memory')) hoard.push(Buffer.alloc(1024 * 1024, 1));
    const working = broken('performance.uses-its-slots')
      ? last.then(() => outcomeOf(execution, broken))
      : outcomeOf(execution, broken);
    last = working;
    const outcome = await working;
    if (!leaks(outcome, execution, broken)) taken -= 1;
    execution.finish(outcome);
  }

  function recall(id, form) {
    const before = known.get(id);
    return before && forgets(before, form, broken) ? undefined : before;
  }

  return {
    /** Starts an execution, or finds the one that has this id. */
    start(body, form = 'stream') {
      const id = broken('execute.runs-each-execution-of-a-job')
        ? body.jobId
        : (body.executionId ?? body.jobId);
      const before = recall(id, form);
      if (before && !broken('streaming.repeated-delivery-runs-once')) return before;
      const execution = createExecution(body, broken);
      execution.form = form;
      const refusal = refusalOf(body, { broken, draining, taken });
      if (refusal) {
        if (broken('streaming.refusal-comes-first')) execution.emit({ type: 'accepted' });
        execution.finish({ type: 'failed', error: refusal });
        return execution;
      }
      known.set(id, execution);
      void run(execution);
      return execution;
    },
    /** Why an execution would not be taken now; undefined when it would. */
    refusal: (body) =>
      known.has(body.executionId) ? undefined : refusalOf(body, { broken, draining, taken }),
    find: (id) => known.get(id),
    all: () => known.values(),
    active: () => taken,
    total: () => known.size,
    running: () => [...known.entries()].filter(([, { ended }]) => !ended).map(([id]) => id),
    /** Takes nothing new from now on. */
    refuse() {
      draining = true;
    },
    drain() {
      draining = true;
      const ends = [...known.values()].filter(({ ended }) => !ended).map(({ done }) => done);
      return broken('shutdown.loses-nothing') && ends.length > 0 ? Promise.race(ends) : Promise.all(ends);
    },
  };
}
