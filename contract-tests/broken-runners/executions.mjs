/** Runs executions: admission, deadline, cancellation, events and their replay. */
import { CAPABILITIES, HANDLERS, inputFaults, SLOTS } from './capabilities.mjs';
import { envelope } from './envelope.mjs';

/** Why an execution is not taken; undefined when it is. */
function refusalOf(body, { broken, draining, taken }) {
  const capability = CAPABILITIES.find(({ id }) => id === body.capabilityId);
  if (!capability) {
    const details = broken('errors.keeps-secrets') ? [{ message: 'environment', value: process.env }] : [];
    const code = broken('errors.unknown-capability-has-its-code')
      ? 'EXECUTION_FAILED'
      : 'CAPABILITY_NOT_FOUND';
    return envelope(code, `no capability ${body.capabilityId}`, { details });
  }
  const faults = broken('execute.rejects-invalid-input') ? [] : inputFaults(capability, body.payload);
  const details = broken('errors.names-the-path') ? [] : faults;
  if (faults.length > 0) return envelope('VALIDATION_ERROR', 'the input is invalid', { details });
  if (draining && !broken('shutdown.refuses-new-work'))
    return envelope('RUNNER_DRAINING', 'the runner is stopping');
  if (taken >= SLOTS && !broken('execute.refuses-beyond-its-slots'))
    return envelope('RUNNER_BUSY', 'every slot is taken');
  return undefined;
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
      at: new Date().toISOString(),
      ...event,
    };
    execution.events.push(complete);
    for (const listener of execution.listeners) listener(complete);
  };
  execution.done = new Promise((resolve) => {
    execution.finish = (event) => {
      if (execution.ended) return;
      execution.emit({ executionTimeMs: Math.round(performance.now() - startedAt), ...event });
      if (broken('streaming.one-terminal-event')) execution.emit({ executionTimeMs: 0, ...event });
      execution.ended = true;
      resolve(event);
    };
  });
  return execution;
}

function failureOf(error, broken) {
  const retryable = broken('errors.says-whether-to-retry') || (error.retryable ?? true);
  return { type: 'failed', error: envelope(error.code ?? 'EXECUTION_FAILED', error.message, { retryable }) };
}

/** What an execution that was aborted ends with. */
function abortedAs(reason, broken) {
  if (reason === 'deadline')
    return { type: 'failed', error: envelope('EXECUTION_TIMEOUT', 'not done in time') };
  if (broken('cancellation.ends-as-cancelled'))
    return { type: 'failed', error: envelope('EXECUTION_FAILED', 'stopped') };
  return { type: 'cancelled', reason: 'user' };
}

async function outcomeOf({ body, controller, emit }, broken) {
  const { signal } = controller;
  const limit = broken('execute.honours-timeout') ? 2_147_483_647 : (body.timeoutMs ?? 30_000);
  const timer = setTimeout(() => controller.abort('deadline'), limit);
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

  return {
    /** Starts an execution, or finds the one that has this id. */
    start(body) {
      const id = body.executionId ?? body.jobId;
      const before = known.get(id);
      if (before && !broken('streaming.repeated-delivery-runs-once')) return before;
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
    find: (id) => known.get(id),
    active: () => taken,
    drain() {
      draining = true;
      return Promise.all([...known.values()].map(({ done }) => done));
    },
  };
}
