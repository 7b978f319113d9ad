import type { JobEvent, JobResponse, JobResult } from '@controlplane/contracts';
import { endingType, parsedError, resultData, toJobEvent } from '../model/job-event.js';
import { toJobRequest } from '../model/job-record.js';
import { shownStatus } from '../model/job-state.js';
import { resultFileOf } from '../model/result-text.js';
import { leaseFromText } from '../model/lease.js';
import { storedStatus, type StoredEnd, type StoredJob } from '../store/store.js';
import type { LiveJob } from './live-job.js';

/** The end of a job as it is stored. */
export type JobEnd = StoredEnd;

export const iso = (time: number): string => new Date(time).toISOString();

/** The result that a job's end stands for. */
export function toJobResult(end: JobEnd): JobResult {
  const metadata: JobResult['metadata'] = {
    completedAt: iso(end.endedAt),
    durationMs: Math.max(0, end.endedAt - (end.startedAt ?? end.endedAt)),
    attempts: Math.max(1, end.attempt),
  };
  if (end.startedAt !== undefined) metadata.startedAt = iso(end.startedAt);
  if (end.runnerId !== undefined) metadata.runnerId = end.runnerId;
  if (end.runnerVersion !== undefined) metadata.runnerVersion = end.runnerVersion;
  const result: JobResult = { success: end.status === 'completed', metadata };
  const dataFile = resultFileOf(end.data);
  if (dataFile !== undefined) result.dataFile = dataFile;
  else if (end.data !== undefined) result.data = JSON.parse(end.data) as unknown;
  const error = parsedError(end.error);
  if (error !== undefined) result.error = error;
  return result;
}

/** The event that tells of a job's end. */
export function toEndEvent(jobId: string, end: JobEnd): JobEvent {
  const result = toJobResult(end);
  const data = resultData(result);
  if (end.dropped > 0) data['droppedEvents'] = end.dropped;
  if (end.droppedBytes > 0) data['droppedBytes'] = end.droppedBytes;
  const position = { attempt: end.attempt, seq: end.eventSeq };
  return toJobEvent(jobId, position, { type: endingType(end.status, result.error), at: end.endedAt, data });
}

function fillEnded(view: JobResponse, end: JobEnd): void {
  view.result = toJobResult(end);
  view.attempts = end.attempt;
  view.updatedAt = iso(end.endedAt);
  if (view.result.error !== undefined) view.error = view.result.error;
  if (end.runnerId !== undefined) view.runnerId = end.runnerId;
  if (end.executionId !== undefined) view.executionId = end.executionId;
  if (end.dropped > 0) view.droppedEvents = end.dropped;
  if (end.droppedBytes > 0) view.droppedBytes = end.droppedBytes;
}

function fillLive(view: JobResponse, live: LiveJob): void {
  view.status = shownStatus(live.phase);
  view.attempts = live.attempt;
  const { execution } = live;
  if (execution !== undefined && execution.phase === 'accepted') {
    view.runnerId = execution.runner.id;
    view.executionId = execution.lease.executionId;
    view.updatedAt = iso(execution.startedAt);
  }
  if (live.progress !== undefined) view.progress = live.progress;
  if (live.phase === 'retrying') view.nextAttemptAt = iso(live.nextAt);
}

/** A job that another JobForge has given to a runner. That it was accepted is not told by the store: it is the rule. */
function fillLeased(view: JobResponse, text: string): void {
  const { runnerId, executionId, since } = leaseFromText(text);
  Object.assign(view, { status: 'running', runnerId, executionId, attempts: (view.attempts ?? 0) + 1 });
  if (since !== undefined) view.updatedAt = iso(since);
}

/** A job as clients are shown it: what the store says, and what is known of it now. */
export function toJobResponse(stored: StoredJob, live: LiveJob | undefined): JobResponse {
  const view: JobResponse = {
    id: stored.id,
    status: storedStatus(stored),
    request: toJobRequest(stored.id, stored),
    updatedAt: iso(stored.createdAt),
    attempts: stored.attempt,
  };
  const error = parsedError(live?.error ?? stored.error);
  if (error !== undefined) view.error = error;
  if (stored.end !== undefined) fillEnded(view, stored.end);
  else if (live !== undefined) fillLive(view, live);
  else if (stored.lease !== undefined) fillLeased(view, stored.lease);
  return view;
}
