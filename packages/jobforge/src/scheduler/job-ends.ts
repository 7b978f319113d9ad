import { envelopeOf, type ErrorEnvelope } from '@controlplane/contracts';
import type { JobForgeError } from '../model/job-forge-error.js';
import { endingType, parsedError } from '../model/job-event.js';
import { moveJob } from '../model/job-state.js';
import type { FinishJob } from '../store/store.js';
import type { Announcement, TellableEnd } from '../webhooks/webhook-desk.js';
import { toEndEvent, type JobEnd } from './job-views.js';
import { flushLog } from './kept-log.js';
import type { LiveJob } from './live-job.js';
import { releaseInput, type LiveState } from './live-state.js';

/** How an attempt ended, as far as it is known. */
export interface Ending {
  /** Seq of its last event. Default: one more than the last seen. */
  readonly eventSeq?: number;
  /** Events and bytes of log that the runner left out. */
  readonly dropped?: number;
  readonly droppedBytes?: number;
}

/** What the record of a job leaves out, on whichever side it was. */
export function lossesOf(
  { log, dropped, droppedBytes }: LiveJob,
  ending: Ending = {},
): Pick<JobEnd, 'dropped' | 'droppedBytes'> {
  return {
    dropped: dropped + (log?.droppedEvents ?? 0) + (ending.dropped ?? 0),
    droppedBytes: droppedBytes + (log?.droppedBytes ?? 0) + (ending.droppedBytes ?? 0),
  };
}

function tellable({ status, error, attempt, eventSeq, endedAt }: JobEnd): TellableEnd {
  return { event: endingType(status, parsedError(error)), endId: `${attempt}.${eventSeq}`, endedAt };
}

/** How a job ended, and who is told once that is on disk. */
export interface EndToWrite {
  readonly end: FinishJob;
  readonly stored?: (() => void) | undefined;
}

/** Writes how a job ended, and tells of it once that is on disk. */
export function writeEnd(state: LiveState, job: LiveJob, { end, stored }: EndToWrite): void {
  moveJob(job, 'ending');
  state.concurrency.leave(job);
  flushLog(state, job);
  if (job.checkpointed) state.commit.keep({ kind: 'remove-checkpoint', seq: job.seq });
  keepEnd(state, job, { end, stored });
}

/** @param isRefused - it stands for an end that the store has refused */
function keepEnd(state: LiveState, job: LiveJob, told: EndToWrite & { readonly isRefused?: boolean }): void {
  const { end, stored } = told;
  const announcement = state.webhooks.announce(job, () => tellable(end));
  // Before the end itself: what is cut between the two is told by the end that is written after a restart.
  for (const operation of announcement?.operations ?? []) state.commit.keep(operation);
  const refused = ({ envelope }: JobForgeError): void =>
    keepEnd(state, job, { end: { ...end, ...unstorable(envelope) }, stored, isRefused: true });
  state.commit.keep(
    end,
    () => settle(state, job, { end, stored, announcement }),
    told.isRefused === true ? undefined : refused,
  );
}

function settle(
  state: LiveState,
  job: LiveJob,
  { end, stored, announcement }: EndToWrite & { readonly announcement: Announcement | undefined },
): void {
  moveJob(job, 'ended');
  state.meters.ended.add(1, end.status);
  state.jobs.delete(job.id);
  releaseInput(state, job);
  state.hub.emit(job.id, () => toEndEvent(job.id, end));
  announcement?.begin();
  stored?.();
}

/** The end of a job whose own end the store refuses. */
export function unstorable({ causes }: ErrorEnvelope): Pick<JobEnd, 'status' | 'data' | 'error'> {
  const error = envelopeOf('STORE_UNAVAILABLE', {
    service: 'jobforge',
    message: 'The job ended, and the store refused to keep how.',
    retryable: false,
    causes,
  });
  return { status: 'failed', data: undefined, error: JSON.stringify(error) };
}
