import { envelopeOf, errorOfWriting, type CancelReason, type ErrorEnvelope } from '@controlplane/contracts';
import { toJobEvent } from '../model/job-event.js';
import { readHead } from '../model/job-record.js';
import { moveJob } from '../model/job-state.js';
import { afterFailure, afterLoss, type AttemptHistory, type NextStep } from '../model/retry.js';
import type { FinalState, FinishJob } from '../store/store.js';
import { lossesOf, unstorable, writeEnd, type Ending } from './job-ends.js';
import { iso, type JobEnd } from './job-views.js';
import { flushLog } from './kept-log.js';
import type { Execution, LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import { vacate } from './occupancy.js';

/** How a job ends that is not on a runner. */
export interface WaitingEnd {
  readonly status: FinalState;
  readonly error: ErrorEnvelope;
  /** Called once it is on disk. */
  readonly stored?: () => void;
}

/** What becomes of a job when its execution is over. Each closes the execution: later news of it is ignored. */
export interface AttemptEndings {
  succeeded(execution: Execution, ending: Ending & { readonly data: string | undefined }): void;
  failed(execution: Execution, ending: Ending & { readonly error: ErrorEnvelope }): void;
  cancelled(
    execution: Execution,
    ending: Ending & { readonly reason: CancelReason; readonly message?: string | undefined },
  ): void;
  /** The runner is gone: what the capability does decides. */
  lost(execution: Execution, message: string): void;
  /** Not accepted after all: the job waits again, as if nothing had been. */
  putBack(execution: Execution): void;
  /** Ends a job that is not on a runner. */
  endWaiting(job: LiveJob, end: WaitingEnd): void;
}

interface Failure {
  readonly error: ErrorEnvelope;
  readonly ending: Ending;
}

/** Why a job was cancelled, as its error. */
export function cancellation(
  { superseded, terms }: LiveJob,
  reason: CancelReason,
  message?: string,
): ErrorEnvelope {
  const plain = superseded
    ? `The job was cancelled: a later one of the concurrency key "${terms.concurrency?.key}" took its place.`
    : `The job was cancelled (${reason}).`;
  return envelopeOf('EXECUTION_CANCELLED', { service: 'jobforge', message: message ?? plain });
}

/** Why a job ended before it began. */
export function expiry(job: LiveJob): ErrorEnvelope {
  const at = iso(job.expiresAt ?? 0);
  return envelopeOf('JOB_EXPIRED', {
    service: 'jobforge',
    message: `The job was not started before it expired at ${at}.`,
  });
}

function close(state: LiveState, execution: Execution): void {
  const { job, runner } = execution;
  execution.phase = 'closed';
  state.executions.delete(execution.lease.executionId);
  state.past.close(execution);
  runner.vitals.blockedUntil = 0;
  job.execution = undefined;
  vacate(state, execution);
}

const NO_RUN = {
  startedAt: undefined,
  runnerId: undefined,
  runnerVersion: undefined,
  executionId: undefined,
  data: undefined,
} as const satisfies Partial<JobEnd>;

/** What an execution came to, as it is stored. */
type Outcome = Pick<JobEnd, 'status' | 'data' | 'error'>;

interface EndedAs {
  readonly ending: Ending;
  readonly as: Outcome;
}

/** Where it began, its last event comes after all others, whatever number the runner gave it. */
function lastSeqOf({ job, seenSeq, startedAt }: Execution, { eventSeq }: Ending): number {
  // Taken up after a restart, it may have said things before that.
  const nextSeq = Math.max(job.lastEventSeq, seenSeq) + 1;
  return startedAt === 0 ? (eventSeq ?? nextSeq) : Math.max(eventSeq ?? 0, nextSeq);
}

/** The end of a job whose execution came to this. Written out, as is all that every job comes by. */
function endOf(state: LiveState, execution: Execution, { ending, as }: EndedAs): FinishJob {
  const { job, runner, lease, startedAt } = execution;
  const { dropped, droppedBytes } = lossesOf(job, ending);
  return {
    kind: 'finish-job',
    seq: job.seq,
    status: as.status,
    attempt: execution.attempt,
    eventSeq: lastSeqOf(execution, ending),
    startedAt: startedAt === 0 ? undefined : startedAt,
    endedAt: state.clock.now(),
    runnerId: runner.id,
    runnerVersion: runner.registration.version,
    executionId: lease.executionId,
    data: as.data,
    error: as.error,
    dropped,
    droppedBytes,
    jobId: job.id,
    capability: job.capability,
  };
}

/** The job's retry policy is read from the store: few jobs fail, and all would have to carry it. */
async function historyOf(state: LiveState, job: LiveJob): Promise<AttemptHistory> {
  const stored = await state.store.loadJob(job.id);
  const policy = readHead(stored?.head ?? '{}').retryPolicy;
  return { policy, retries: job.retries, random: state.random() };
}

function requeue(state: LiveState, job: LiveJob): void {
  if (state.jobs.get(job.id) !== job || job.phase !== 'retrying') return;
  // Tried before its time, it may wait for a later one by now.
  if (state.clock.now() < job.nextAt) return;
  moveJob(job, 'queued');
  state.ready.push(job);
  state.look();
}

/** Its end is that of an attempt: nothing of this is kept. */
const RETRIED: Outcome = { status: 'failed', data: undefined, error: undefined };

function retry(state: LiveState, execution: Execution, next: Failure & { step: NextStep }): void {
  const { job } = execution;
  const { step, error, ending } = next;
  state.meters.retries.add(1);
  const end = endOf(state, execution, { ending, as: RETRIED });
  if (step.kind === 'retry') job.retries += 1;
  job.nextAt = end.endedAt + (step.kind === 'retry' ? step.delayMs : 0);
  job.error = JSON.stringify(error);
  job.progress = undefined;
  job.dropped += ending.dropped ?? 0;
  job.droppedBytes += ending.droppedBytes ?? 0;
  flushLog(state, job);
  job.lastEventSeq = end.eventSeq;
  moveJob(job, 'retrying');
  const { attempt, eventSeq, endedAt, runnerId = '', executionId = '' } = end;
  const startedAt = end.startedAt ?? endedAt;
  const times = { startedAt, endedAt, nextAt: job.nextAt };
  const { retries, seq } = job;
  state.commit.keep(
    { kind: 'retry-job', seq, attempt, retries, eventSeq, ...times, runnerId, executionId, error: job.error },
    () => {
      state.past.settle(execution);
      const data = { error, attempt, nextAttemptAt: iso(times.nextAt) };
      state.hub.emit(job.id, () =>
        toJobEvent(job.id, { attempt, seq: eventSeq }, { type: 'job.retrying', at: endedAt, data }),
      );
      state.agenda.add(
        times.nextAt,
        () => requeue(state, job),
        () => job.phase === 'retrying',
      );
    },
    ({ envelope }) =>
      writeEnd(state, job, {
        end: { ...end, ...unstorable(envelope) },
        stored: () => state.past.settle(execution),
      }),
  );
}

/**
 * Whether an execution may run although no `accepted` arrived: it was offered before JobForge stopped, or by a link
 * over which a runner begins unasked. Of what must not be repeated the worse is assumed.
 */
function mayHaveBegun(execution: Execution): boolean {
  const { recovered, offeredAt, runner } = execution;
  if (recovered) return true;
  return offeredAt > 0 && !runner.link.confirmsAccepts && mustNotRepeat(execution);
}

/** Whether it may have written what must not be written twice. */
export function mustNotRepeat({ lease, announces, writing }: Execution): boolean {
  return lease.writes && (writing || !announces);
}

function assumeAccepted({ job, attempt }: Execution): void {
  job.attempt = attempt;
  moveJob(job, 'running');
}

function failForGood(state: LiveState, execution: Execution, { error, ending }: Failure): void {
  const status = error.code === 'EXECUTION_CANCELLED' ? 'cancelled' : 'failed';
  const as = { status, data: undefined, error: JSON.stringify(error) } as const;
  writeEnd(state, execution.job, {
    end: endOf(state, execution, { ending, as }),
    stored: () => state.past.settle(execution),
  });
}

/** Closes an execution that failed and, where it had begun, asks what comes next. */
function decide(
  state: LiveState,
  execution: Execution,
  failure: Failure & { stepOf: (history: AttemptHistory) => NextStep },
): void {
  const { job } = execution;
  close(state, execution);
  // What was refused at the offer has not begun: there is nothing to try again.
  if (job.phase !== 'running' || job.cancel !== undefined) return failForGood(state, execution, failure);
  const finish = (step: NextStep): void => {
    if (step.kind === 'fail' || job.cancel !== undefined) failForGood(state, execution, failure);
    else retry(state, execution, { ...failure, step });
  };
  historyOf(state, job).then(
    (history) => finish(failure.stepOf(history)),
    (problem: unknown) => {
      state.log('error', 'a retry policy could not be read', { jobId: job.id, problem: String(problem) });
      finish({ kind: failure.error.retryable ? 'requeue' : 'fail' });
    },
  );
}

function endWaiting(state: LiveState, job: LiveJob, { status, error, stored }: WaitingEnd): void {
  const position = { attempt: job.attempt, eventSeq: job.lastEventSeq + 1, endedAt: state.clock.now() };
  const { seq, id, capability } = job;
  const of = { kind: 'finish-job', seq, jobId: id, capability } as const;
  const end = { ...of, ...NO_RUN, ...position, status, error: JSON.stringify(error), ...lossesOf(job) };
  writeEnd(state, job, { end, stored });
}

function putBack(state: LiveState, execution: Execution): void {
  const { job } = execution;
  close(state, execution);
  state.past.settle(execution);
  state.meters.offersReturned.add(1);
  // Its row is being written: it is put where it belongs when that is done.
  if (job.phase === 'submitting') return;
  if (job.phase === 'running') {
    job.attempt -= 1;
    job.lastEventSeq = execution.priorEventSeq;
    job.begun = undefined;
  }
  moveJob(job, 'queued');
  if (job.cancel !== undefined)
    return endWaiting(state, job, { status: 'cancelled', error: cancellation(job, job.cancel) });
  const isExpired = job.expiresAt !== undefined && job.attempt === 0 && job.expiresAt <= state.clock.now();
  if (isExpired) return endWaiting(state, job, { status: 'failed', error: expiry(job) });
  // Without this a restart would take the job for one that may be running there.
  state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: undefined });
  state.ready.push(job);
}

export function createAttemptEndings(state: LiveState): AttemptEndings {
  const endings: AttemptEndings = {
    succeeded(execution, ending) {
      close(state, execution);
      const as = { status: 'completed', data: ending.data, error: undefined } as const;
      writeEnd(state, execution.job, {
        end: endOf(state, execution, { ending, as }),
        stored: () => state.past.settle(execution),
      });
    },
    failed(execution, { error: said, ...ending }) {
      const error = mustNotRepeat(execution) ? errorOfWriting(said, execution.writing) : said;
      decide(state, execution, { error, ending, stepOf: (history) => afterFailure(error, history) });
    },
    cancelled(execution, { reason, message, ...ending }) {
      close(state, execution);
      failForGood(state, execution, { error: cancellation(execution.job, reason, message), ending });
    },
    lost(execution, message) {
      execution.runner.link.forget(execution.lease.executionId);
      if (execution.job.cancel !== undefined)
        return endings.cancelled(execution, { reason: execution.job.cancel });
      if (execution.phase === 'open' && !mayHaveBegun(execution)) return endings.putBack(execution);
      if (execution.phase === 'open') assumeAccepted(execution);
      const writes = mustNotRepeat(execution);
      const error = envelopeOf('RUNNER_LOST', { service: 'jobforge', message, retryable: !writes });
      decide(state, execution, { error, ending: {}, stepOf: (history) => afterLoss(writes, history) });
    },
    putBack: (execution) => putBack(state, execution),
    endWaiting: (job, end) => endWaiting(state, job, end),
  };
  return endings;
}
