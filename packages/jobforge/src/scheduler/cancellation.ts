import type { CancelReason, JobResponse } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { cancellation, type AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import { toJobResponse } from './job-views.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';

export interface CancellationParts {
  readonly state: LiveState;
  readonly endings: AttemptEndings;
  readonly dispatcher: Dispatcher;
}

function finished(id: string): JobForgeError {
  return new JobForgeError('JOB_FINISHED', { message: `The job "${id}" has already ended.` });
}

/** Ends a job that waits, or tells its runner; resolves once what can be said is on disk. */
export function endCancelled(
  { state, endings, dispatcher }: CancellationParts,
  job: LiveJob,
  reason: CancelReason,
): Promise<void> {
  return new Promise((resolve, reject) => {
    if (job.phase === 'ending' || job.phase === 'ended') return reject(finished(job.id));
    job.cancel = reason;
    if (job.execution !== undefined) {
      dispatcher.cancel(job.execution, reason);
      return resolve();
    }
    // Between two attempts: how the last one ended is being decided, and the cancellation is seen there.
    if (job.phase === 'running') return resolve();
    if (job.phase === 'queued') state.ready.remove(job);
    endings.endWaiting(job, { status: 'cancelled', error: cancellation(job, reason), stored: resolve });
  });
}

/** Cancels a job that has not ended. */
export async function cancelJob(
  parts: CancellationParts,
  id: string,
  reason: CancelReason,
): Promise<JobResponse> {
  const { state } = parts;
  const job = state.jobs.get(id);
  if (job === undefined || job.phase === 'ending') {
    throw (await reading(state.store.loadJob(id))) === undefined ? jobNotFound(id) : finished(id);
  }
  await new Promise<void>((resolve, reject) => {
    state.commit.attempt({ kind: 'cancel-job', seq: job.seq, reason }, (error) =>
      error === undefined ? resolve() : reject(error),
    );
  });
  await endCancelled(parts, job, reason);
  const stored = await reading(state.store.loadJob(id));
  if (stored === undefined) throw jobNotFound(id);
  return toJobResponse(stored, state.jobs.get(id));
}
