import {
  envelopeOf,
  isTerminalEvent,
  type ExecutionEvent,
  type TerminalEvent,
} from '@controlplane/contracts';
import type { LinkFailure, LinkListener } from '../links/runner-link.js';
import { toJobEvent } from '../model/job-event.js';
import { moveJob } from '../model/job-state.js';
import { isRefusal } from '../model/retry.js';
import type { AttemptEndings } from './attempt-endings.js';
import { keepEvent } from './kept-events.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';

const FIRST_BLOCK_MS = 100;
const MAX_BLOCK_MS = 5_000;
const FIRST_REATTACH_MS = 100;
const MAX_REATTACH_MS = 2_000;

/** What it takes to act on what a runner tells. */
interface Desk {
  readonly state: LiveState;
  readonly endings: AttemptEndings;
  /** Sends an execution again whose stream broke. */
  readonly reattach: (execution: Execution) => void;
}

/** Offers nothing more to a runner for a while: longer each time, until it accepts again. */
export function blockRunner(state: LiveState, execution: Execution, retryAfterMs?: number): void {
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
    const data = { attempt, runnerId: runner.id, executionId: execution.lease.executionId };
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
  if (execution.job.cancel !== undefined || reason === 'user')
    return endings.cancelled(execution, { ...ending, reason, message });
  if (reason === 'lease-lost')
    return endings.lost(execution, 'The runner gave the execution up because its lease was lost.');
  const code = reason === 'deadline' ? 'EXECUTION_TIMEOUT' : 'RUNNER_SHUTDOWN';
  endings.failed(execution, { ...ending, error: envelopeOf(code, { service: 'jobforge' }) });
}

function refuse(
  { state, endings }: Desk,
  execution: Execution,
  refusal: { code: string; retryAfterMs?: number | undefined },
): void {
  // Asked for an execution that it has accepted before: it no longer has it.
  if (execution.phase === 'accepted' && execution.brokenSince > 0) {
    return endings.lost(execution, `${execution.runner.name} no longer has the execution.`);
  }
  endings.putBack(execution);
  if (refusal.code === 'RUNNER_BUSY') blockRunner(state, execution, refusal.retryAfterMs);
  else execution.runner.vitals.draining = true;
}

function onEvent(desk: Desk, execution: Execution, event: ExecutionEvent): void {
  const { state, endings } = desk;
  if (execution.phase === 'closed') return;
  execution.leaseUntil = state.clock.now() + state.limits.leaseMs;
  if (isTerminalEvent(event)) {
    const early = event.type === 'failed' && event.seq === 0;
    if (early && (isRefusal(event.error.code) || event.error.code === 'RUNNER_SHUTDOWN'))
      return refuse(desk, execution, event.error);
    return end(endings, execution, event);
  }
  execution.brokenSince = 0;
  if (event.type === 'accepted') return accept(state, execution, event);
  if (event.seq <= execution.seenSeq || execution.phase !== 'accepted') return;
  execution.seenSeq = event.seq;
  execution.job.lastEventSeq = event.seq;
  keepEvent(state, execution, event);
}

function onBroken({ state, endings, reattach }: Desk, execution: Execution, message: string): void {
  const { runner, job } = execution;
  if (job.cancel !== undefined && !runner.registration.features?.includes('cancel')) {
    return endings.cancelled(execution, { reason: job.cancel });
  }
  if (!runner.link.canReattach) {
    if (execution.phase !== 'open') return endings.lost(execution, `${runner.name} was lost: ${message}.`);
    endings.putBack(execution);
    return blockRunner(state, execution);
  }
  const now = state.clock.now();
  if (execution.brokenSince === 0) execution.brokenSince = now;
  const delay = Math.min(Math.max(FIRST_REATTACH_MS, now - execution.brokenSince), MAX_REATTACH_MS);
  state.agenda.add(now + delay, () => reattach(execution));
}

function onFailure(desk: Desk, execution: Execution, failure: LinkFailure): void {
  const { state, endings } = desk;
  const { runner, lease } = execution;
  if (execution.phase === 'closed') return;
  if (failure.kind === 'refused') return refuse(desk, execution, failure);
  if (failure.kind === 'protocol') {
    runner.link.cancel(lease.executionId, { reason: 'lease-lost', leaseToken: lease.token });
    return endings.failed(execution, { error: failure.error });
  }
  if (failure.kind === 'broken' || execution.brokenSince > 0)
    return onBroken(desk, execution, failure.message);
  runner.vitals.unreachable = true;
  state.log('warn', 'a runner cannot be reached', { runner: runner.name, problem: failure.message });
  endings.putBack(execution);
}

/** Listens to one execution's link and draws the conclusions. */
export function listenTo(desk: Desk, execution: Execution): LinkListener {
  return {
    onEvent: (event) => onEvent(desk, execution, event),
    onFailure: (failure) => onFailure(desk, execution, failure),
  };
}
