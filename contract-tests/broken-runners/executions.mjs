/** Runs executions: admission, deadline, cancellation, events and their replay. */
import { CAPABILITIES, HANDLERS, inputFaults, SLOTS } from './capabilities.mjs';
import { envelope } from './envelope.mjs';

export function createExecutions({ broken }) {
  const known = new Map();
  let taken = 0;
  let draining = false;

  function refusalOf(body) {
    const capability = CAPABILITIES.find(({ id }) => id === body.capabilityId);
    if (!capability) {
      const details = broken('errors.keeps-secrets') ? [{ message: 'environment', value: process.env }] : [];
      const code = broken('errors.unknown-capability-has-its-code') ? 'EXECUTION_FAILED' : 'CAPABILITY_NOT_FOUND';
      return envelope(code, `no capability ${body.capabilityId}`, { details });
    }
    const faults = broken('execute.rejects-invalid-input') ? [] : inputFaults(capability, body.payload);
    if (faults.length > 0) return envelope('VALIDATION_ERROR', 'the input is invalid', { details: broken('errors.names-the-path') ? [] : faults });
    if (draining && !broken('shutdown.refuses-new-work')) return envelope('RUNNER_DRAINING', 'the runner is stopping');
    if (taken >= SLOTS && !broken('execute.refuses-beyond-its-slots')) return envelope('RUNNER_BUSY', 'every slot is taken');
    return undefined;
  }

  function createExecution(body) {
    const executionId = broken('streaming.names-its-execution') ? body.jobId : (body.executionId ?? body.jobId);
    const execution = { body, events: [], listeners: new Set(), ended: false, controller: new AbortController() };
    execution.emit = (event) => {
      const seq = execution.events.length + (broken('streaming.seq-rises-by-one') ? 1 : 0);
      const complete = { executionId, seq, at: new Date().toISOString(), ...event };
      execution.events.push(complete);
      for (const listener of execution.listeners) listener(complete);
    };
    execution.done = new Promise((resolve) => {
      execution.finish = (event) => {
        if (execution.ended) return;
        execution.emit({ executionTimeMs: Math.round(performance.now() - execution.startedAt), ...event });
        if (broken('streaming.one-terminal-event')) execution.emit({ executionTimeMs: 0, ...event });
        execution.ended = true;
        resolve(event);
      };
    });
    execution.startedAt = performance.now();
    return execution;
  }

  function failureOf(error) {
    const code = error.code ?? 'EXECUTION_FAILED';
    const retryable = broken('errors.says-whether-to-retry') ? true : (error.retryable ?? true);
    return { type: 'failed', error: envelope(code, error.message, { retryable }) };
  }

  /** What an execution that was aborted ends with. */
  function abortedAs(reason) {
    if (reason === 'deadline') return { type: 'failed', error: envelope('EXECUTION_TIMEOUT', 'not done in time') };
    if (broken('cancellation.ends-as-cancelled')) return { type: 'failed', error: envelope('EXECUTION_FAILED', 'stopped') };
    return { type: 'cancelled', reason: 'user' };
  }

  async function run(execution) {
    const { body, controller, emit, finish } = execution;
    taken += 1;
    if (!broken('streaming.accepted-first')) emit({ type: 'accepted' });
    const timer = broken('execute.honours-timeout') ? undefined : setTimeout(() => controller.abort('deadline'), body.timeoutMs ?? 30_000);
    try {
      const data = await HANDLERS[body.capabilityId](body.payload, { signal: controller.signal, emit, broken });
      finish({ type: 'succeeded', data });
    } catch (error) {
      finish(controller.signal.aborted ? abortedAs(controller.signal.reason) : failureOf(error));
    } finally {
      clearTimeout(timer);
      if (!(broken('cancellation.frees-the-slot') && controller.signal.reason === 'user')) taken -= 1;
    }
  }

  return {
    /** Starts an execution, or finds the one that has this id. */
    start(body) {
      const id = body.executionId ?? body.jobId;
      const before = known.get(id);
      if (before && !broken('streaming.repeated-delivery-runs-once')) return before;
      const execution = createExecution(body);
      const refusal = refusalOf(body);
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
