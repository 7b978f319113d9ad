import type { JobSubmission } from '@controlplane/contracts';
import type { JobForgeError } from '../model/job-forge-error.js';
import { QUEUED, toJobEvent } from '../model/job-event.js';
import { executionMetadata, toJobRecord } from '../model/job-record.js';
import { moveJob } from '../model/job-state.js';
import { leaseToText } from '../model/lease.js';
import type { Outcome } from '../store/store.js';
import { expiry, type AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import { newLiveJob, type Execution, type LiveJob } from './live-job.js';
import { holdInput, type LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { freeSlot } from './runner-entry.js';
import type { Scheduler } from './scheduler.js';

/** What a submission came to: the new job, the word that its id was taken, or an error. */
export type Stored = (error: JobForgeError | undefined, job: LiveJob | undefined) => void;

/** Brings jobs in: from a submission to the disk, and from there to where they wait or run. */
export interface JobIntake {
  insert(submission: JobSubmission, stored: Stored): void;
  /** Sets a job in motion that waits for a time; for recovery too. */
  watch(job: LiveJob): void;
}

export interface IntakeParts {
  readonly state: LiveState;
  readonly scheduler: Scheduler;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
}

const timeOf = (timestamp: string | undefined): number | undefined =>
  timestamp === undefined ? undefined : Date.parse(timestamp);

function toLiveJob(submission: JobSubmission, id: string, now: number): LiveJob {
  const { payload, metadata } = submission;
  const scheduledAt = timeOf(metadata.scheduledAt) ?? 0;
  return newLiveJob({
    id,
    type: submission.type,
    capability: payload.type,
    priority: submission.priority,
    createdAt: now,
    expiresAt: timeOf(metadata.expiresAt),
    timeoutMs: submission.timeoutMs,
    executionMetadata: executionMetadata(metadata),
    nextAt: scheduledAt > now ? scheduledAt : 0,
  });
}

function expire({ state, endings }: IntakeParts, job: LiveJob): void {
  if (state.jobs.get(job.id) !== job || job.attempt > 0) return;
  if (job.phase === 'queued') state.ready.remove(job);
  else if (job.phase !== 'pending') return;
  endings.endWaiting(job, { status: 'failed', error: expiry(job) });
}

function becomeReady({ state }: IntakeParts, job: LiveJob): void {
  if (state.jobs.get(job.id) !== job || (job.phase !== 'pending' && job.phase !== 'retrying')) return;
  if (state.clock.now() < job.nextAt) return;
  if (job.phase === 'pending')
    state.hub.emit(job.id, () => toJobEvent(job.id, QUEUED, { type: 'job.queued', at: job.nextAt }));
  moveJob(job, 'queued');
  state.ready.push(job);
  state.wake();
}

function watch(parts: IntakeParts, job: LiveJob): void {
  const { agenda } = parts.state;
  const waits = (): boolean => job.phase === 'pending' || job.phase === 'retrying';
  if (waits()) agenda.add(job.nextAt, () => becomeReady(parts, job), waits);
  const { expiresAt } = job;
  if (expiresAt !== undefined && job.attempt === 0)
    agenda.add(
      expiresAt,
      () => expire(parts, job),
      () => job.phase !== 'ended',
    );
}

/** Gives back a slot that was taken for a job that did not come to be. */
function giveBack(state: LiveState, job: LiveJob, execution: Execution | undefined): void {
  moveJob(job, 'ended');
  if (execution === undefined) return;
  execution.phase = 'closed';
  state.executions.delete(execution.lease.executionId);
  freeSlot(execution);
  state.wake();
}

function start(parts: IntakeParts, job: LiveJob, execution: Execution | undefined): void {
  const { state, dispatcher } = parts;
  state.jobs.set(job.id, job);
  const offered = execution !== undefined && execution.phase === 'open';
  if (offered) {
    moveJob(job, 'leased');
    dispatcher.send(execution);
  } else if (job.nextAt > 0) moveJob(job, 'pending');
  else {
    // The runner was lost while the row was being written: it does not have the execution that the row names.
    if (execution !== undefined) state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: undefined });
    moveJob(job, 'queued');
    state.ready.push(job);
    state.wake();
  }
  if (job.nextAt > 0 || job.expiresAt !== undefined) watch(parts, job);
}

export function createJobIntake(parts: IntakeParts): JobIntake {
  const { state, scheduler } = parts;
  return {
    watch: (job) => watch(parts, job),
    insert(submission, stored) {
      const now = state.clock.now();
      const job = toLiveJob(submission, submission.id ?? newId(), now);
      const { head, input } = toJobRecord(submission);
      const waits = job.nextAt > 0 || (job.expiresAt !== undefined && job.expiresAt <= now);
      const execution = waits ? undefined : scheduler.takeSlot(job);
      const lease = execution === undefined ? undefined : leaseToText(execution.lease);
      const { id, type } = job;
      const from = job.nextAt > 0 ? 'pending' : 'queued';
      const settled = (error: JobForgeError | undefined, outcome: Outcome): void => {
        if (error !== undefined || typeof outcome === 'string') {
          giveBack(state, job, execution);
          return stored(error, undefined);
        }
        job.seq = outcome.seq;
        state.meters.submitted.add(1);
        holdInput(state, job, input);
        start(parts, job, execution);
        stored(undefined, job);
      };
      state.commit.attempt(
        { kind: 'insert-job', id, type, head, input, createdAt: now, state: from, lease },
        settled,
      );
    },
  };
}
