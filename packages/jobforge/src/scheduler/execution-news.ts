import {
  envelopeOf,
  isTerminalEvent,
  type ExecutionEvent,
  type TerminalEvent,
} from '@controlplane/contracts';
import type { LinkFailure, LinkListener } from '../links/runner-link.js';
import { toJobEvent } from '../model/job-event.js';
import type { BlockCause } from '../model/runner-status.js';
import { moveJob } from '../model/job-state.js';
import { isRefusal } from '../model/retry.js';
import { mustNotRepeat, type AttemptEndings } from './attempt-endings.js';
import { hearNews } from './announcements.js';
import { withoutSecrets } from './execution-secrets.js';
import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';
import { resultTextOf } from './result-claims.js';

const FIRST_BLOCK_MS = 100;
const MAX_BLOCK_MS = 5_000;
const FIRST_REATTACH_MS = 100;
const MAX_REATTACH_MS = 2_000;
/** A named time beyond this is not believed. */
const MAX_RETRY_AFTER_MS = 60_000;
/** Another process answers in the runner's place: it registers within this time, or is asked again after it. */
const MISMATCH_MS = 1_000;

/** What it takes to act on what a runner tells. */
interface Desk {
  readonly state: LiveState;
  readonly endings: AttemptEndings;
  /** Sends an execution again whose stream broke. */
  readonly reattach: (execution: Execution) => void;
}

/** Offers nothing more to a runner for a while: longer each time, until it accepts again. */
export function blockRunner(
  state: LiveState,
  { runner }: Execution,
  { cause, retryAfterMs = 0 }: { readonly cause: BlockCause; readonly retryAfterMs?: number | undefined },
): void {
  const delay = Math.min(FIRST_BLOCK_MS * 2 ** runner.failures, MAX_BLOCK_MS);
  runner.failures += 1;
  runner.vitals.blockedFor = cause;
  runner.vitals.blockedUntil =
    state.clock.now() + Math.max(delay, Math.min(retryAfterMs, MAX_RETRY_AFTER_MS));
  state.agenda.add(runner.vitals.blockedUntil, () => state.wake(runner));
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
  job.begun = execution;
  // What it said before a restart is stored: its later events come after that.
  job.lastEventSeq = Math.max(0, execution.seenSeq);
  moveJob(job, 'running');
  if (!execution.recovered)
    state.meters.wait.observe(
      (now - Math.max(job.createdAt, job.nextAt)) / 1000,
      execution.lease.capabilityId,
    );
  // Told before the offer had been read, the runner knew of nothing to stop.
  if (job.cancel !== undefined) {
    const { executionId, token } = execution.lease;
    runner.link.cancel(executionId, { reason: job.cancel, leaseToken: token });
  }
  state.hub.emit(job.id, () => {
    const data = { attempt, runnerId: runner.id, executionId: execution.lease.executionId };
    return toJobEvent(job.id, { attempt, seq: 0 }, { type: 'job.started', at: execution.startedAt, data });
  });
}

/** An end as it may be kept, and as it came. */
interface ToldEnd {
  readonly event: TerminalEvent;
  readonly told: ExecutionEvent;
}

function end({ state, endings }: Desk, execution: Execution, { event, told }: ToldEnd): void {
  const { seq: eventSeq, droppedEvents: dropped = 0, droppedBytes = 0 } = event;
  const ending = { eventSeq, dropped, droppedBytes };
  if (event.type === 'succeeded') {
    const said = told.type === 'succeeded' ? told : event;
    const data = resultTextOf(state, execution, { event, said });
    if (typeof data === 'object') return endings.failed(execution, { ...ending, error: data });
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

/** Whether a runner that refuses an execution may have begun it before: it no longer has it. */
function isGone(execution: Execution, code: string): boolean {
  const { phase, brokenSince, runner } = execution;
  if (runner.link.confirmsAccepts) return phase === 'accepted';
  return (
    brokenSince > 0 && (phase === 'accepted' || mustNotRepeat(execution) || code === 'INSTANCE_MISMATCH')
  );
}

/** Its key is not the one that is used, or its clock is wrong: with its next beat it is told to register. */
function distrust(state: LiveState, execution: Execution): void {
  const { runner } = execution;
  runner.distrusted = true;
  state.log('warn', 'a runner refuses the signature: it has another key, or the clocks differ', {
    runner: runner.name,
  });
  blockRunner(state, execution, { cause: 'unsigned', retryAfterMs: MISMATCH_MS });
}

function refuse(
  { state, endings }: Desk,
  execution: Execution,
  { code, retryAfterMs }: { code: string; retryAfterMs?: number | undefined },
): void {
  const { runner } = execution;
  if (isGone(execution, code))
    endings.lost(execution, `${runner.name} no longer has the execution (${code}).`);
  else endings.putBack(execution);
  if (code === 'RUNNER_BUSY') blockRunner(state, execution, { cause: 'busy', retryAfterMs });
  else if (code === 'INSTANCE_MISMATCH')
    blockRunner(state, execution, { cause: 'replaced', retryAfterMs: MISMATCH_MS });
  else if (code === 'SIGNATURE_INVALID') distrust(state, execution);
  else runner.vitals.draining = true;
}

function hear(state: LiveState, { runner }: Execution): void {
  if (!runner.vitals.unheard) return;
  runner.vitals.unheard = false;
  state.wake(runner);
}

function onEvent(desk: Desk, execution: Execution, told: ExecutionEvent): void {
  const { state } = desk;
  if (execution.phase === 'closed') return;
  const event = withoutSecrets(state, execution, told);
  execution.leaseUntil = state.clock.now() + state.limits.leaseMs;
  hear(state, execution);
  if (isTerminalEvent(event)) {
    execution.endSeq = event.seq;
    const early = event.type === 'failed' && event.seq === 0;
    if (early && (isRefusal(event.error.code) || event.error.code === 'RUNNER_SHUTDOWN')) {
      const { code, retryAfter = 0 } = event.error;
      return refuse(desk, execution, { code, retryAfterMs: retryAfter * 1000 });
    }
    return end(desk, execution, { event, told });
  }
  execution.brokenSince = 0;
  if (event.type === 'accepted') return accept(state, execution, event);
  if (event.seq <= execution.seenSeq || execution.phase !== 'accepted') return;
  execution.seenSeq = event.seq;
  execution.breaks = 0;
  execution.job.lastEventSeq = event.seq;
  hearNews(state, execution, event);
}

/** Whether an execution can be sent once more without the danger of running twice what must not. */
export function canReattach({ runner, lease }: Execution): boolean {
  return runner.link.canReattach && (lease.instanceId !== undefined || !lease.writes);
}

/** Sends an execution again after a while: longer each time, until it tells something new. */
export function reattachLater(
  state: LiveState,
  execution: Execution,
  reattach: (execution: Execution) => void,
): void {
  const delay = Math.min(FIRST_REATTACH_MS * 2 ** execution.breaks, MAX_REATTACH_MS);
  execution.breaks += 1;
  state.agenda.add(
    state.clock.now() + delay,
    () => reattach(execution),
    () => execution.phase !== 'closed',
  );
}

function onBroken({ state, endings, reattach }: Desk, execution: Execution, message: string): void {
  const { runner, job } = execution;
  if (job.cancel !== undefined && !runner.registration.features?.includes('cancel')) {
    return endings.cancelled(execution, { reason: job.cancel });
  }
  if (execution.phase === 'open' && !runner.link.canReattach) {
    endings.putBack(execution);
    return blockRunner(state, execution, { cause: 'silent' });
  }
  if (execution.brokenSince === 0) execution.brokenSince = state.clock.now();
  if (runner.leaving || !canReattach(execution))
    return endings.lost(execution, `${runner.name} was lost: ${message}.`);
  reattachLater(state, execution, reattach);
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
  if (failure.kind === 'broken' || execution.brokenSince > 0) {
    if (failure.kind === 'broken' && failure.away) runner.vitals.unreachable = true;
    return onBroken(desk, execution, failure.message);
  }
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
