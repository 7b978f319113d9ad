/** Runs executions: admission, deadline, cancellation, events and their replay. */
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
  const faults = broken('execute.rejects-invalid-input') ? [] : inputFaults(capability, body.payload);
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
      const event = { executionTimeMs, ...withoutSecrets(end, body, broken) };
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

async function outcomeOf({ body, controller, emit }, broken) {
  const { signal } = controller;
  const limit = broken('execute.honours-timeout') ? 2_147_483_647 : (body.timeoutMs ?? 30_000);
  const timer = setTimeout(() => controller.abort(TIME_UP), limit);
  try {
    return {
      type: 'succeeded',
      data: await HANDLERS[body.capabilityId](body.payload, { signal, emit, broken }),
    };
  } catch (error) {
    return signal.aborted ? abortedAs(signal.reason, broken) : failureOf(error, broken);
  } finally {
    clearTimeout(timer);
  }
}

export function createExecutions({ broken }) {
  const known = new Map();
  let taken = 0;
  let draining = false;

  async function run(execution) {
    taken += 1;
    if (!broken('streaming.accepted-first')) execution.emit({ type: 'accepted' });
    const outcome = await outcomeOf(execution, broken);
    const leaks = broken('cancellation.frees-the-slot') && outcome.type === 'cancelled';
    if (!leaks) taken -= 1;
    execution.finish(outcome);
  }

  /** What is remembered of an execution with this id; a careless runner forgets some. */
  function recall(id) {
    const before = known.get(id);
    if (broken('streaming.concurrent-repeats-run-once') && !before?.ended) return undefined;
    const end = before?.events.at(-1).type;
    if (broken('streaming.repeats-failures') && end === 'failed') return undefined;
    return broken('cancellation.stays-cancelled') && end === 'cancelled' ? undefined : before;
  }

  return {
    /** Starts an execution, or finds the one that has this id. */
    start(body, { isNew = false } = {}) {
      const id = broken('execute.runs-each-execution-of-a-job')
        ? body.jobId
        : (body.executionId ?? body.jobId);
      const before = recall(id);
      if (before && !isNew && !broken('streaming.repeated-delivery-runs-once')) return before;
      const execution = createExecution(body, broken);
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
    drain() {
      draining = true;
      return Promise.all([...known.values()].map(({ done }) => done));
    },
  };
}
