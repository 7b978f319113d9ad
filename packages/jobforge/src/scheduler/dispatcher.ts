import { envelopeOf, isTerminalEvent, type CancelReason, type ExecutionEvent, type TerminalEvent } from '@controlplane/contracts';
import type { LinkFailure, LinkListener, LinkRequest } from '../links/runner-link.js';
import { toJobEvent } from '../model/job-event.js';
import { moveJob } from '../model/job-state.js';
import { isRefusal } from '../model/retry.js';
import type { AttemptEndings } from './attempt-endings.js';
import { keepEvent } from './kept-events.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Carries one execution over one link: offer, accept, events, end; and again after its stream broke. */
export interface Dispatcher {
  /** Offers an execution; it leaves with the next flush of its link. */
  send(execution: Execution): void;
  /** Takes up an execution that was offered before its stream broke or JobForge stopped. */
  reattach(execution: Execution): void;
  /** Tells the runner to stop. How it ends is told by the execution. */
  cancel(execution: Execution, reason: CancelReason): void;
  /** Takes an offer back that was not accepted in time. */
  withdraw(execution: Execution): void;
  /** Gives up on an execution that has run beyond its time limit. */
  overdue(execution: Execution): void;
  /** Gives up on an execution that did not stop when told to. */
  uncooperative(execution: Execution): void;
}

const FIRST_BLOCK_MS = 100;
const MAX_BLOCK_MS = 5_000;
const FIRST_REATTACH_MS = 100;
const MAX_REATTACH_MS = 2_000;

function bodyOf({ job, runner, lease, attempt, timeoutMs }: Execution, input: string): string {
  // Ids are of a set of characters that needs no escaping; the input is JSON already.
  return (
    `{"jobId":"${job.id}","moduleId":${JSON.stringify(runner.name)},"capabilityId":"${lease.capabilityId}",` +
    `"payload":${input},"timeoutMs":${timeoutMs},"metadata":${job.executionMetadata},` +
    `"executionId":"${lease.executionId}","attempt":${attempt},"leaseToken":"${lease.token}"}`
  );
}

/** Offers nothing more to a runner for a while: longer each time, until it accepts again. */
function blockRunner(state: LiveState, execution: Execution, retryAfterMs?: number): void {
  const { runner } = execution;
  const delay = Math.min(FIRST_BLOCK_MS * 2 ** runner.failures, MAX_BLOCK_MS);
  runner.failures += 1;
  runner.vitals.blockedUntil = state.clock.now() + Math.max(delay, retryAfterMs ?? 0);
  state.agenda.add(runner.vitals.blockedUntil, state.wake);
}

function accept(state: LiveState, execution: Execution, event: { readonly at: string }): void {
  const { job, runner, attempt } = execution;
  if (execution.phase !== 'open') return;
  const now = state.clock.now();
  // After a restart the runner tells again when it began.
  const began = execution.recovered ? Date.parse(event.at) : now;
  execution.phase = 'accepted';
  execution.startedAt = began <= now ? began : now;
  execution.deadlineAt = now + execution.timeoutMs + state.limits.overdueMs;
  execution.priorEventSeq = job.lastEventSeq;
  runner.failures = 0;
  job.attempt = attempt;
  job.lastEventSeq = 0;
  moveJob(job, 'running');
  state.hub.emit(job.id, () => {
    const data = { attempt, runnerId: runner.id, runnerName: runner.name, executionId: execution.lease.executionId };
    return toJobEvent(job.id, { attempt, seq: 0 }, { type: 'job.started', at: execution.startedAt, data });
  });
}

function end(endings: AttemptEndings, execution: Execution, event: TerminalEvent): void {
  const ending = { eventSeq: event.seq, dropped: event.droppedEvents ?? 0 };
  if (event.type === 'succeeded') {
    const data = event.data === undefined ? undefined : JSON.stringify(event.data);
    return endings.succeeded(execution, { ...ending, data });
  }
  if (event.type === 'failed') return endings.failed(execution, { ...ending, error: event.error });
  const { reason, message } = event;
  if (execution.job.cancel !== undefined || reason === 'user') return endings.cancelled(execution, { ...ending, reason, message });
  if (reason === 'lease-lost') return endings.lost(execution, 'The runner gave the execution up because its lease was lost.');
  const code = reason === 'deadline' ? 'EXECUTION_TIMEOUT' : 'RUNNER_SHUTDOWN';
  endings.failed(execution, { ...ending, error: envelopeOf(code, { service: 'jobforge' }) });
}

export function createDispatcher(state: LiveState, endings: AttemptEndings): Dispatcher {
  const refuse = (execution: Execution, code: string, retryAfterMs?: number): void => {
    // Asked for an execution that it has accepted before: it no longer has it.
    if (execution.phase === 'accepted' && execution.brokenSince > 0) {
      return endings.lost(execution, `${execution.runner.name} no longer has the execution.`);
    }
    endings.putBack(execution);
    if (code === 'RUNNER_BUSY') blockRunner(state, execution, retryAfterMs);
    else execution.runner.vitals.draining = true;
  };

  const onEvent = (execution: Execution, event: ExecutionEvent): void => {
    if (execution.phase === 'closed') return;
    execution.leaseUntil = state.clock.now() + state.limits.leaseMs;
    execution.brokenSince = 0;
    if (isTerminalEvent(event)) {
      const early = execution.phase === 'open' && event.type === 'failed';
      if (early && (isRefusal(event.error.code) || event.error.code === 'RUNNER_SHUTDOWN')) return refuse(execution, event.error.code);
      return end(endings, execution, event);
    }
    if (event.type === 'accepted') return accept(state, execution, event);
    if (event.seq <= execution.seenSeq || execution.phase !== 'accepted') return;
    execution.seenSeq = event.seq;
    execution.job.lastEventSeq = event.seq;
    keepEvent(state, execution, event);
  };

  const breakStream = (execution: Execution, message: string): void => {
    const { runner, job } = execution;
    if (job.cancel !== undefined && !runner.registration.features?.includes('cancel')) {
      return endings.cancelled(execution, { reason: job.cancel });
    }
    if (!runner.link.canReattach) {
      if (execution.phase === 'open') return endings.putBack(execution);
      return endings.lost(execution, `${runner.name} was lost: ${message}.`);
    }
    const now = state.clock.now();
    if (execution.brokenSince === 0) execution.brokenSince = now;
    const delay = Math.min(Math.max(FIRST_REATTACH_MS, now - execution.brokenSince), MAX_REATTACH_MS);
    state.agenda.add(now + delay, () => dispatcher.reattach(execution));
  };

  const onFailure = (execution: Execution, failure: LinkFailure): void => {
    if (execution.phase === 'closed') return;
    if (failure.kind === 'refused') return refuse(execution, failure.code, failure.retryAfterMs);
    if (failure.kind === 'protocol') {
      execution.runner.link.cancel(execution.lease.executionId, { reason: 'lease-lost', leaseToken: execution.lease.token });
      return endings.failed(execution, { error: failure.error });
    }
    if (failure.kind === 'not-delivered' && execution.brokenSince === 0) {
      execution.runner.vitals.unreachable = true;
      state.log('warn', 'a runner cannot be reached', { runner: execution.runner.name, problem: failure.message });
      return endings.putBack(execution);
    }
    breakStream(execution, failure.message);
  };

  const listenerOf = (execution: Execution): LinkListener => ({
    onEvent: (event) => onEvent(execution, event),
    onFailure: (failure) => onFailure(execution, failure),
  });

  const hand = (execution: Execution, input: string): void => {
    execution.offeredAt = state.clock.now();
    execution.leaseUntil = execution.offeredAt + state.limits.leaseMs;
    const request: LinkRequest = { executionId: execution.lease.executionId, body: bodyOf(execution, input) };
    execution.runner.link.dispatch(request, listenerOf(execution));
  };

  const load = async (execution: Execution): Promise<void> => {
    const [stored] = await state.store.loadJobs([execution.job.seq]);
    if (stored === undefined || execution.phase === 'closed') return;
    hand(execution, stored.input);
    execution.runner.link.flush();
  };

  const giveUp = (execution: Execution, reason: CancelReason): void => {
    const { link } = execution.runner;
    link.cancel(execution.lease.executionId, { reason, leaseToken: execution.lease.token });
    link.forget(execution.lease.executionId);
  };

  const dispatcher: Dispatcher = {
    send(execution) {
      if (execution.phase === 'closed') return;
      const { input } = execution.job;
      if (input !== undefined) return hand(execution, input);
      load(execution).catch((error: unknown) => {
        state.log('error', 'an input could not be read', { jobId: execution.job.id, problem: String(error) });
        if (execution.phase !== 'closed') endings.putBack(execution);
      });
    },
    reattach(execution) {
      if (execution.phase === 'closed' || execution.brokenSince === 0 || state.stopping) return;
      dispatcher.send(execution);
      execution.runner.link.flush();
    },
    cancel(execution, reason) {
      if (execution.phase === 'closed') return;
      execution.cancelledAt = state.clock.now();
      const { executionId, token } = execution.lease;
      execution.runner.link.cancel(executionId, { reason, leaseToken: token });
    },
    withdraw(execution) {
      giveUp(execution, 'lease-lost');
      endings.putBack(execution);
      blockRunner(state, execution);
    },
    overdue(execution) {
      giveUp(execution, 'deadline');
      const message = `The execution did not end within ${execution.timeoutMs} ms, nor did its runner end it.`;
      endings.failed(execution, { error: envelopeOf('EXECUTION_TIMEOUT', { service: 'jobforge', message }) });
    },
    uncooperative(execution) {
      giveUp(execution, 'lease-lost');
      endings.cancelled(execution, { reason: execution.job.cancel ?? 'user', message: 'The job was cancelled; its runner did not stop it in time.' });
    },
  };
  return dispatcher;
}
