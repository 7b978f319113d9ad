import type { ErrorDetail, JobBatchEntry, JobSubmission } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { executionMetadata, isSameRequest, toJobRecord, toJobRequest, type JobRecord } from '../model/job-record.js';
import { moveJob, shownStatus } from '../model/job-state.js';
import { leaseToText } from '../model/lease.js';
import { whyWaiting } from '../model/placement.js';
import type { Submitted } from '../model/operations.js';
import type { Outcome } from '../store/store.js';
import type { AttemptEndings } from './attempt-endings.js';
import { expiry } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import { iso, toJobResponse } from './job-views.js';
import { newLiveJob, type Execution, type LiveJob } from './live-job.js';
import { newId } from './new-id.js';
import { holdInput, type LiveState } from './live-state.js';
import { demandOf } from './ready-queue.js';
import { freeSlot } from './runner-entry.js';
import type { RunnerRegistry } from './runner-registry.js';
import type { Scheduler } from './scheduler.js';

export interface Submissions {
  submitJob(submission: JobSubmission): Promise<Submitted>;
  submitJobs(submissions: readonly JobSubmission[]): Promise<JobBatchEntry[]>;
  /** Sets a job in motion that waits for a time; for recovery too. */
  watch(job: LiveJob): void;
}

export interface SubmissionParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly scheduler: Scheduler;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
}

/** What a submission came to: the new job, or the word that its id was taken. */
type Stored = (error: JobForgeError | undefined, job: LiveJob | undefined) => void;

const timeOf = (timestamp: string | undefined): number | undefined => (timestamp === undefined ? undefined : Date.parse(timestamp));

function checkInput(registry: RunnerRegistry, submission: JobSubmission): JobForgeError | undefined {
  const { payload, type } = submission;
  const offers = registry.offers({ payloadType: payload.type, jobType: type });
  let details: ErrorDetail[] | undefined;
  let refusedBy = '';
  const seen = new Set<unknown>();
  for (const { runner, capability } of offers) {
    const check = runner.checks.get(capability.id);
    if (check === undefined) return undefined;
    if (seen.has(check)) continue;
    seen.add(check);
    const refused = check(payload.data);
    if (refused === undefined) return undefined;
    details = refused;
    refusedBy = `${capability.id}@${capability.version}`;
  }
  if (details === undefined) return undefined;
  return new JobForgeError('VALIDATION_ERROR', { message: `The input does not match the schema of ${refusedBy}; nothing was queued.`, details });
}

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

export function createSubmissions(parts: SubmissionParts): Submissions {
  const { state, registry, scheduler, dispatcher, endings } = parts;

  const expire = (job: LiveJob): void => {
    if (state.jobs.get(job.id) !== job || job.attempt > 0) return;
    if (job.phase === 'queued') state.ready.remove(job);
    else if (job.phase !== 'pending') return;
    endings.endWaiting(job, { status: 'failed', error: expiry(job) });
  };

  const becomeReady = (job: LiveJob): void => {
    if (state.jobs.get(job.id) !== job || (job.phase !== 'pending' && job.phase !== 'retrying')) return;
    moveJob(job, 'queued');
    state.ready.push(job);
    state.wake();
  };

  const watch = (job: LiveJob): void => {
    const waits = (): boolean => job.phase === 'pending' || job.phase === 'retrying';
    if (waits()) state.agenda.add(job.nextAt, () => becomeReady(job), waits);
    const { expiresAt } = job;
    if (expiresAt !== undefined && job.attempt === 0) state.agenda.add(expiresAt, () => expire(job), () => job.phase !== 'ended');
  };

  const release = (execution: Execution | undefined): void => {
    if (execution === undefined) return;
    execution.phase = 'closed';
    state.executions.delete(execution.lease.executionId);
    freeSlot(execution);
  };

  const start = (job: LiveJob, execution: Execution | undefined): void => {
    state.jobs.set(job.id, job);
    if (execution !== undefined) {
      moveJob(job, 'leased');
      return dispatcher.send(execution);
    }
    moveJob(job, job.nextAt > 0 ? 'pending' : 'queued');
    if (job.phase === 'queued') {
      state.ready.push(job);
      state.wake();
    }
    if (job.nextAt > 0 || job.expiresAt !== undefined) watch(job);
  };

  const insert = (submission: JobSubmission, record: JobRecord, stored: Stored): LiveJob => {
    const now = state.clock.now();
    const job = toLiveJob(submission, submission.id ?? newId(), now);
    const { head, input } = record;
    const isExpired = job.expiresAt !== undefined && job.expiresAt <= now;
    const execution = job.nextAt > 0 || isExpired ? undefined : scheduler.takeSlot(job);
    const lease = execution === undefined ? undefined : leaseToText(execution.lease);
    const { id, type } = job;
    const from = job.nextAt > 0 ? 'pending' : 'queued';
    state.commit.attempt({ kind: 'insert-job', id, type, head, input, createdAt: now, state: from, lease }, (error, outcome: Outcome) => {
      if (error !== undefined || typeof outcome === 'string') {
        release(execution);
        moveJob(job, 'ended');
        state.wake();
        return stored(error, undefined);
      }
      job.seq = outcome.seq;
      holdInput(state, job, input);
      start(job, execution);
      stored(undefined, job);
    });
    return job;
  };

  const refusal = (submission: JobSubmission): JobForgeError | undefined =>
    state.stopping ? new JobForgeError('SHUTTING_DOWN') : checkInput(registry, submission);

  /** The id was taken: by the same request, or by another. */
  const found = async (submission: JobSubmission): Promise<Submitted> => {
    const id = submission.id ?? '';
    const stored = await state.store.loadJob(id);
    if (stored === undefined) throw new JobForgeError('STORE_UNAVAILABLE', { message: `The job "${id}" could not be read.` });
    if (!isSameRequest(toJobRequest(id, stored), submission)) {
      throw new JobForgeError('JOB_CONFLICT', { message: `A job with the id "${id}" exists and was submitted with another body.` });
    }
    return { job: toJobResponse(stored, state.jobs.get(id)), created: false };
  };

  const toSubmitted = (submission: JobSubmission, job: LiveJob): Submitted => {
    const status = job.phase === 'ended' ? 'queued' : shownStatus(job.phase);
    const { id, createdAt } = job;
    const view: Submitted['job'] = { id, status, request: { ...submission, id }, updatedAt: iso(createdAt), attempts: 0 };
    if (job.phase === 'queued') {
      const demand = demandOf(job);
      const at = { now: job.createdAt, known: registry.capabilityIds() };
      view.waitingFor = whyWaiting(demand, registry.offers(demand), at);
    }
    return { job: view, created: true };
  };

  const submit = (submission: JobSubmission): Promise<LiveJob | undefined> =>
    new Promise((resolve, reject) => {
      const refused = refusal(submission);
      if (refused !== undefined) return reject(refused);
      insert(submission, toJobRecord(submission), (error, job) => (error === undefined ? resolve(job) : reject(error)));
    });

  const submitMany = (submissions: readonly JobSubmission[]): Promise<JobBatchEntry[]> =>
    new Promise((resolve, reject) => {
      const entries: JobBatchEntry[] = [];
      const taken: number[] = [];
      let waiting = submissions.length;
      const settle = (index: number, entry: JobBatchEntry | undefined): void => {
        if (entry === undefined) taken.push(index);
        else entries[index] = entry;
        waiting -= 1;
        if (waiting === 0) fillTaken(submissions, { taken, entries }).then(resolve, reject);
      };
      for (const [index, submission] of submissions.entries()) {
        const refused = refusal(submission);
        if (refused !== undefined) settle(index, refusedEntry(submission, refused));
        else insert(submission, toJobRecord(submission), (error, job) => {
          if (error !== undefined) settle(index, refusedEntry(submission, error));
          else settle(index, job === undefined ? undefined : { id: job.id, status: shownStatus(job.phase) });
        });
      }
    });

  const fillTaken = async (
    submissions: readonly JobSubmission[],
    { taken, entries }: { taken: readonly number[]; entries: JobBatchEntry[] },
  ): Promise<JobBatchEntry[]> => {
    for (const index of taken) {
      const submission = submissions[index];
      if (submission === undefined) continue;
      entries[index] = await found(submission).then(
        ({ job }) => ({ id: job.id, status: job.status }),
        (error: JobForgeError) => refusedEntry(submission, error),
      );
    }
    return entries;
  };

  return {
    watch,
    async submitJob(submission) {
      const job = await submit(submission);
      return job === undefined ? found(submission) : toSubmitted(submission, job);
    },
    submitJobs: submitMany,
  };
}

function refusedEntry({ id }: JobSubmission, { envelope }: JobForgeError): JobBatchEntry {
  return id === undefined ? { error: envelope } : { id, error: envelope };
}
