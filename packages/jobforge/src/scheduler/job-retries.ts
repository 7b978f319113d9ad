import type { JobBatchEntry, JobResponse } from '@controlplane/contracts';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import { moveJob, shownStatus } from '../model/job-state.js';
import type { RetryOperations } from '../model/retry-operations.js';
import type { StoredJob } from '../store/store.js';
import { readCursor, type JobQueries } from './job-queries.js';
import type { LiveJob } from './live-job.js';
import { releaseInput, type LiveState } from './live-state.js';
import { restoreEvents, toLiveJob } from './recovery.js';
import { jobNotFound, reading } from './store-reads.js';

export interface RetryParts {
  readonly state: LiveState;
  readonly queries: JobQueries;
}

/** Jobs that are read at once. */
const PAGE = 200;
/** Jobs that one request looks at; what is beyond is told by its cursor. */
const MAX_EXAMINED = 5_000;

function notRetryable(id: string, how: string): JobForgeError {
  return new JobForgeError('JOB_NOT_RETRYABLE', { message: `The job "${id}" ${how}.` });
}

/** Has a job that waits for its next attempt tried now. */
function hasten(state: LiveState, job: LiveJob): void {
  job.nextAt = state.clock.now();
  moveJob(job, 'queued');
  state.ready.push(job);
  state.wake();
}

/** A job that has ended, as it stands in the queue again. It expired or was scheduled as what it was: now it is wanted. */
async function revived(
  state: LiveState,
  stored: StoredJob,
  end: NonNullable<StoredJob['end']>,
): Promise<LiveJob> {
  const job = toLiveJob(state, {
    ...stored,
    ...{ state: 'queued', lease: undefined, cancel: undefined, end: undefined },
    ...{ attempt: end.attempt, retries: 0, error: end.error, nextAt: state.clock.now() },
  });
  await restoreEvents(state, job, end.attempt);
  job.lastEventSeq = end.eventSeq;
  job.dropped = end.dropped;
  job.droppedBytes = end.droppedBytes;
  return job;
}

function reopen(state: LiveState, job: LiveJob): Promise<void> {
  return new Promise((resolve, reject) => {
    state.commit.attempt({ kind: 'reopen-job', seq: job.seq, at: job.nextAt }, (error, outcome) => {
      if (error === undefined && outcome === 'done') {
        state.jobs.set(job.id, job);
        state.concurrency.join(job);
        moveJob(job, 'queued');
        state.ready.push(job);
        state.wake();
        return resolve();
      }
      releaseInput(state, job);
      reject(error ?? notRetryable(job.id, 'was put back into the queue by somebody else'));
    });
  });
}

async function retryJob(state: LiveState, id: string): Promise<void> {
  if (state.stopping) throw new JobForgeError('SHUTTING_DOWN');
  const live = state.jobs.get(id);
  if (live?.phase === 'retrying') return hasten(state, live);
  if (live !== undefined) throw notRetryable(id, `has not ended: it is ${shownStatus(live.phase)}`);
  const stored = await reading(state.store.loadJob(id));
  if (stored === undefined) throw jobNotFound(id);
  const { end } = stored;
  if (end === undefined) throw notRetryable(id, 'has not ended');
  if (end.status === 'completed') throw notRetryable(id, 'has completed');
  await reopen(state, await reading(revived(state, stored, end)));
}

type Matches = (stored: StoredJob) => boolean;

function matcherOf({ code, since }: { code?: string | undefined; since?: string | undefined }): Matches {
  const from = since === undefined ? -Infinity : Date.parse(since);
  return ({ end }) => {
    if (end === undefined || end.endedAt < from) return false;
    if (code === undefined) return true;
    const error = end.error === undefined ? {} : (JSON.parse(end.error) as { code?: unknown });
    return error.code === code;
  };
}

interface Search {
  readonly status: 'failed' | 'cancelled';
  readonly type: string | undefined;
  readonly limit: number;
  readonly before: number | undefined;
}

/** Looks through ended jobs, newest first, for those that match. */
async function search(
  state: LiveState,
  { status, type, limit, before }: Search,
  matches: Matches,
): Promise<{ readonly found: readonly StoredJob[]; readonly next: number | undefined }> {
  const found: StoredJob[] = [];
  let next = before;
  for (let examined = 0; examined < MAX_EXAMINED; examined += PAGE) {
    const page = await reading(state.store.listJobs({ before: next, limit: PAGE, type, ended: status }));
    for (const stored of page.jobs) {
      if (!matches(stored)) continue;
      found.push(stored);
      if (found.length === limit) return { found, next: stored.seq };
    }
    next = page.next;
    if (next === undefined) break;
  }
  return { found, next };
}

async function entryOf(state: LiveState, id: string): Promise<JobBatchEntry> {
  try {
    await retryJob(state, id);
    return { id, status: 'queued' };
  } catch (error) {
    if (isJobForgeError(error)) return { id, error: error.envelope };
    throw error;
  }
}

/** How jobs that have ended are run again. */
export function createJobRetries({ state, queries }: RetryParts): RetryOperations {
  return {
    async retryJob(id): Promise<JobResponse> {
      await retryJob(state, id);
      return queries.showJob(id);
    },
    async retryJobs({ status, type, limit, cursor, dryRun, ...filter }) {
      const where = { status, type, limit, before: readCursor(cursor) };
      const { found, next } = await search(state, where, matcherOf(filter));
      // Together, so that they share transactions.
      const jobs = dryRun
        ? found.map(({ id }) => ({ id, status }))
        : await Promise.all(found.map(({ id }) => entryOf(state, id)));
      return next === undefined ? { jobs } : { jobs, nextCursor: String(next) };
    },
  };
}
