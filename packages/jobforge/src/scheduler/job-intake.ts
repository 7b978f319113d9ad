import type { JobSubmission } from '@controlplane/contracts';
import type { JobForgeError } from '../model/job-forge-error.js';
import { QUEUED, toJobEvent } from '../model/job-event.js';
import { executionMetadata, toJobRecord } from '../model/job-record.js';
import { moveJob } from '../model/job-state.js';
import { leaseToText } from '../model/lease.js';
import type { Outcome } from '../store/store.js';
import { expiry, type AttemptEndings } from './attempt-endings.js';
import { carriedText } from './carried-files.js';
import { endTurnedAway, joinKey, supersedeOldest } from './concurrency-conflicts.js';
import type { Dispatcher } from './dispatcher.js';
import type { Explanations } from './explanations.js';
import type { Terms } from '../model/demand.js';
import { rankOf } from '../model/job-order.js';
import { newLiveJob, type Execution, type LiveJob } from './live-job.js';
import { holdInput, type LiveState } from './live-state.js';
import { newId } from './new-id.js';
import { vacate } from './occupancy.js';
import type { Scheduler } from './scheduler.js';

/** What a submission came to: the new job, the word that its id was taken, or an error. */
export type Stored = (error: JobForgeError | undefined, job: LiveJob | undefined) => void;

/** What is asked for, and where and when that may run. */
export interface Asked {
  readonly submission: JobSubmission;
  readonly terms: Terms;
  /** JSON of what is sent to the runner as the payload. */
  readonly input: string;
}

/** Brings jobs in: from a submission to the disk, and from there to where they wait or run. */
export interface JobIntake {
  insert(asked: Asked, stored: Stored): void;
  /** Sets a job in motion that was waiting when JobForge stopped. */
  resume(job: LiveJob): void;
}

export interface IntakeParts {
  readonly state: LiveState;
  readonly scheduler: Scheduler;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
  readonly explanations: Pick<Explanations, 'unmatched'>;
}

const timeOf = (timestamp: string | undefined): number | undefined =>
  timestamp === undefined ? undefined : Date.parse(timestamp);

function toLiveJob({ limits, clock }: LiveState, { submission, terms }: Asked, id: string): LiveJob {
  const { payload, metadata, priority } = submission;
  const now = clock.now();
  const scheduledAt = timeOf(metadata.scheduledAt) ?? 0;
  return newLiveJob({
    id,
    type: submission.type,
    capability: payload.type,
    terms,
    rank: rankOf({ priority, since: Math.max(now, scheduledAt) }, limits.priorityAgingMs),
    createdAt: now,
    expiresAt: timeOf(metadata.expiresAt),
    timeoutMs: submission.timeoutMs,
    webhook: submission.webhook,
    executionMetadata: executionMetadata(metadata),
    carried: carriedText(submission),
    nextAt: scheduledAt > now ? scheduledAt : 0,
  });
}

function expire({ state, endings }: IntakeParts, job: LiveJob): void {
  if (state.jobs.get(job.id) !== job || job.attempt > 0) return;
  if (job.phase === 'queued') state.ready.remove(job);
  else if (job.phase !== 'pending') return;
  endings.endWaiting(job, { status: 'failed', error: expiry(job) });
}

/** Puts a job among those that wait for a runner, or ends it where it is not to wait. */
function enqueue(parts: IntakeParts, job: LiveJob, admitted: boolean): void {
  const { state, endings } = parts;
  moveJob(job, 'queued');
  if (!admitted) return endTurnedAway(endings, job);
  state.ready.push(job);
  state.look();
}

/** The same for a job that comes now. */
function receive(parts: IntakeParts, job: LiveJob, admitted: boolean): void {
  enqueue(parts, job, admitted);
  supersedeOldest(parts, job);
}

/** Its time has come. */
function becomeReady(parts: IntakeParts, job: LiveJob): void {
  const { state, endings, explanations } = parts;
  if (state.jobs.get(job.id) !== job || (job.phase !== 'pending' && job.phase !== 'retrying')) return;
  if (state.clock.now() < job.nextAt) return;
  const { terms, phase } = job;
  if (phase === 'pending') {
    state.hub.emit(job.id, () => toJobEvent(job.id, QUEUED, { type: 'job.queued', at: job.nextAt }));
    const unmatched = terms.failsUnmatched ? explanations.unmatched(terms.demand) : undefined;
    if (unmatched !== undefined)
      return endings.endWaiting(job, { status: 'failed', error: unmatched.envelope });
  }
  // What is tried again came long ago.
  if (phase === 'retrying') enqueue(parts, job, true);
  else receive(parts, job, joinKey(state, job));
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
  state.concurrency.leave(job);
  if (execution === undefined) return;
  execution.phase = 'closed';
  state.executions.delete(execution.lease.executionId);
  vacate(state, execution);
}

function start(parts: IntakeParts, job: LiveJob, from: Arrival): void {
  const { state, dispatcher } = parts;
  const { execution, admitted } = from;
  state.jobs.set(job.id, job);
  const offered = execution !== undefined && execution.phase === 'open';
  if (offered) {
    moveJob(job, 'leased');
    dispatcher.send(execution);
    supersedeOldest(parts, job);
  } else if (job.nextAt > 0) moveJob(job, 'pending');
  else {
    // The runner was lost while the row was being written: it does not have the execution that the row names.
    if (execution !== undefined) state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: undefined });
    receive(parts, job, admitted);
  }
  if (job.nextAt > 0 || job.expiresAt !== undefined) watch(parts, job);
}

/** How a job comes in. */
interface Arrival {
  /** Set where a runner was free at once. */
  readonly execution: Execution | undefined;
  /** Its concurrency key has room for it. */
  readonly admitted: boolean;
}

function arrive({ state, scheduler }: IntakeParts, job: LiveJob): Arrival {
  const { nextAt, expiresAt, createdAt } = job;
  if (nextAt > 0) return { execution: undefined, admitted: true };
  const admitted = joinKey(state, job);
  const isLate = expiresAt !== undefined && expiresAt <= createdAt;
  return { execution: admitted && !isLate ? scheduler.takeSlot(job) : undefined, admitted };
}

export function createJobIntake(parts: IntakeParts): JobIntake {
  const { state } = parts;
  return {
    resume(job) {
      if (job.phase === 'queued') {
        // JobForge may have died before it could say that the job's key was full.
        const isNew = job.attempt === 0;
        if (isNew && !joinKey(state, job)) return endTurnedAway(parts.endings, job);
        state.ready.push(job);
        if (isNew) supersedeOldest(parts, job);
      }
      watch(parts, job);
    },
    insert(asked, stored) {
      const { submission, input } = asked;
      const job = toLiveJob(state, asked, submission.id ?? newId());
      const { head } = toJobRecord(submission, input);
      const arrival = arrive(parts, job);
      const { execution } = arrival;
      const lease = execution === undefined ? undefined : leaseToText(execution.lease);
      const { id, type, createdAt } = job;
      const from = job.nextAt > 0 ? 'pending' : 'queued';
      const place = state.sharing?.placeOf(
        job,
        job.nextAt > 0 || execution !== undefined || !arrival.admitted,
      );
      const settled = (error: JobForgeError | undefined, outcome: Outcome): void => {
        if (error !== undefined || typeof outcome === 'string') {
          giveBack(state, job, execution);
          return stored(error, undefined);
        }
        job.seq = outcome.seq;
        state.lastInserted = outcome.seq;
        state.meters.submitted.add(1);
        if (place?.owned === false) {
          giveBack(state, job, undefined);
          state.sharing?.onUnowned();
          return stored(undefined, job);
        }
        // Its acknowledgement was so late that it was found in the store and taken up.
        const found = state.jobs.get(id);
        if (found !== undefined) {
          giveBack(state, job, execution);
          return stored(undefined, found);
        }
        holdInput(state, job, input);
        start(parts, job, arrival);
        stored(undefined, job);
      };
      state.commit.attempt(
        { kind: 'insert-job', id, type, head, input, createdAt, state: from, lease, place },
        settled,
      );
    },
  };
}
