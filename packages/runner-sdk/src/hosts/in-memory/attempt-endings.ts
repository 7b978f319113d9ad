import {
  calculateRetryDelay,
  envelopeOf,
  errorOfWriting,
  shouldRetry,
  type ErrorEnvelope,
  type TerminalEvent,
} from '@controlplane/contracts';
import { SERVICE, type Attempt, type Job, type JobOutcome, type Plane } from './plane.js';

/** Codes that say "not now, not here": the job goes back and no attempt is counted. */
const HANDED_BACK: ReadonlySet<string> = new Set(['RUNNER_BUSY', 'RUNNER_DRAINING', 'INSTANCE_MISMATCH']);
/** How long a runner that refused is left alone. */
const QUIET_MS = 250;

function finish(job: Job, outcome: JobOutcome): void {
  job.state = outcome.state;
  job.outcome.resolve(outcome);
}

/** Takes the lease from an attempt. */
export function closeAttempt(plane: Plane, attempt: Attempt, phase: 'ended' | 'superseded'): void {
  attempt.phase = phase;
  attempt.runner.attempts.delete(attempt);
  if (attempt.timer !== undefined) plane.clock.clearTimeout(attempt.timer);
  if (attempt.deadlineTimer !== undefined) plane.clock.clearTimeout(attempt.deadlineTimer);
  attempt.job.current = undefined;
}

/** Puts a job back at the head of the queue; who asked for its end meanwhile gets it. */
function queueAgain(plane: Plane, job: Job): void {
  if (job.isCancelled) return finish(job, { state: 'cancelled', attempts: job.attempts });
  job.state = 'queued';
  plane.queue.unshift(job);
  // Later: whoever ends an attempt may be about to end others.
  void Promise.resolve().then(plane.place);
}

/** Takes back an offer that was not accepted: as if it had never been made. */
export function takeBack(plane: Plane, attempt: Attempt): void {
  closeAttempt(plane, attempt, 'superseded');
  queueAgain(plane, attempt.job);
}

function retryOrFail(
  plane: Plane,
  job: Job,
  failure: { error: ErrorEnvelope; delayMs: number | undefined },
): void {
  const { error, delayMs } = failure;
  if (job.isCancelled) return finish(job, { state: 'cancelled', attempts: job.attempts });
  const isSpent = job.attempts > job.retryPolicy.maxRetries;
  if (delayMs === undefined || isSpent)
    return finish(job, { state: 'failed', error, attempts: job.attempts });
  if (delayMs === 0) return queueAgain(plane, job);
  job.state = 'retrying';
  job.retryTimer = plane.clock.setTimeout(() => {
    job.retryTimer = undefined;
    queueAgain(plane, job);
  }, delayMs);
}

function retryDelayMs(
  plane: Plane,
  { retryPolicy, attempts }: Job,
  error: ErrorEnvelope,
): number | undefined {
  if (!shouldRetry(error, retryPolicy)) return undefined;
  const options = { retryAfter: error.retryAfter, random: plane.random() };
  return Math.ceil(calculateRetryDelay(Math.max(0, attempts - 1), retryPolicy, options));
}

function refused(plane: Plane, attempt: Attempt, error: ErrorEnvelope): void {
  const { job, runner } = attempt;
  if (!HANDED_BACK.has(error.code)) return finish(job, { state: 'failed', error, attempts: job.attempts });
  runner.quietUntilMs = plane.clock.elapsed() + QUIET_MS;
  plane.clock.setTimeout(plane.place, QUIET_MS);
  queueAgain(plane, job);
}

/** Whether it may have written what must not be written twice. */
function mustNotRepeat({ capability, isWriting }: Attempt): boolean {
  return capability.effects === 'writes' && (isWriting || !capability.announcesWrites);
}

/** Ends an attempt by what its runner said of it. */
export function endByEvent(plane: Plane, attempt: Attempt, event: TerminalEvent): void {
  const { job } = attempt;
  const wasOffered = attempt.phase === 'offered';
  closeAttempt(plane, attempt, 'ended');
  void Promise.resolve().then(plane.place);
  if (event.type === 'succeeded') {
    return finish(job, { state: 'completed', data: event.data, attempts: job.attempts });
  }
  if (event.type === 'cancelled') return finish(job, { state: 'cancelled', attempts: job.attempts });
  if (wasOffered) return refused(plane, attempt, event.error);
  const error = mustNotRepeat(attempt) ? errorOfWriting(event.error, attempt.isWriting) : event.error;
  if (error.code === 'RUNNER_SHUTDOWN' && error.retryable) {
    job.attempts--;
    return queueAgain(plane, job);
  }
  retryOrFail(plane, job, { error, delayMs: retryDelayMs(plane, job, error) });
}

/** The control plane's own word about an execution that its runner did not end in time. */
export function endByDeadline(plane: Plane, attempt: Attempt): void {
  const { job, capability, timeoutMs } = attempt;
  closeAttempt(plane, attempt, 'superseded');
  const message = `${capability.id} did not end within ${timeoutMs} ms, and its runner said nothing of it`;
  const timeout = envelopeOf('EXECUTION_TIMEOUT', { service: SERVICE, operation: capability.id, message });
  const error = mustNotRepeat(attempt) ? errorOfWriting(timeout, attempt.isWriting) : timeout;
  retryOrFail(plane, job, { error, delayMs: retryDelayMs(plane, job, error) });
}

/** Ends an accepted attempt whose runner was lost: what must not be repeated fails, the rest is offered again. */
export function endByLoss(plane: Plane, attempt: Attempt): void {
  const { job, capability, runner } = attempt;
  closeAttempt(plane, attempt, 'superseded');
  const mayNotRepeat = mustNotRepeat(attempt);
  const message = `the runner "${runner.registration.name}" was not heard of for ${plane.leaseMs} ms while it ran ${capability.id}`;
  const error = envelopeOf('RUNNER_LOST', {
    service: SERVICE,
    operation: capability.id,
    message,
    retryable: !mayNotRepeat,
  });
  retryOrFail(plane, job, { error, delayMs: mayNotRepeat ? undefined : 0 });
}

/** Ends a job on request: at once where no runner has accepted it, else by telling the runner. */
export function cancelJob(plane: Plane, job: Job): void {
  if (job.isCancelled || job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled')
    return;
  job.isCancelled = true;
  const attempt = job.current;
  if (attempt?.phase === 'running') {
    const directive = { kind: 'cancel' as const, executionId: attempt.executionId, reason: 'user' as const };
    return attempt.runner.send({ type: 'directives', directives: [directive] });
  }
  if (attempt) closeAttempt(plane, attempt, 'superseded');
  if (job.retryTimer !== undefined) plane.clock.clearTimeout(job.retryTimer);
  const place = plane.queue.indexOf(job);
  if (place !== -1) plane.queue.splice(place, 1);
  finish(job, { state: 'cancelled', attempts: job.attempts });
}
