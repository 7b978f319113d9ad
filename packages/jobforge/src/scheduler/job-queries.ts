import type { JobList, JobListQuery, JobNotification, JobResponse } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import { shownStatus } from '../model/job-state.js';
import type { FinalState, JobPage, StoredJob } from '../store/store.js';
import type { Explanations } from './explanations.js';
import { toJobResponse } from './job-views.js';
import { notificationsOf } from './kept-notifications.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';
import { jobNotFound, reading } from './store-reads.js';

export interface JobQueries {
  /** @param options - `plain` leaves out what has to be looked for */
  showJob(id: string, options?: { readonly plain?: boolean }): Promise<JobResponse>;
  listJobs(query: JobListQuery): Promise<JobList>;
}

/** Where a page begins. Refuses with VALIDATION_ERROR. */
export function readCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const seq = Number(cursor);
  if (Number.isSafeInteger(seq) && seq > 0) return seq;
  throw new JobForgeError('VALIDATION_ERROR', {
    message: `"${cursor}" is no cursor.`,
    details: [{ path: ['cursor'], message: 'expected the nextCursor of an earlier page' }],
  });
}

/** Whether jobs of this status have an end in the store. */
export function isEnded(status: JobListQuery['status']): status is FinalState {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Jobs that have not ended are few beside those that have, and are known here: no index on disk is needed. */
async function listLive(state: LiveState, query: JobListQuery, before: number | undefined): Promise<JobPage> {
  const seqs: number[] = [];
  for (const job of state.jobs.values()) {
    if (shownStatus(job.phase) !== query.status || job.seq >= (before ?? Infinity)) continue;
    if (query.type === undefined || job.type === query.type) seqs.push(job.seq);
  }
  seqs.sort((left, right) => right - left);
  const page = seqs.slice(0, query.limit);
  const jobs = await state.store.loadJobs(page);
  return { jobs, next: seqs.length > page.length ? page.at(-1) : undefined };
}

/** What the executions of a job had to say to people. */
async function notificationsFor(
  { store }: LiveState,
  { seq, attempt, lease, end }: StoredJob,
  live: LiveJob | undefined,
): Promise<JobNotification[] | undefined> {
  if (live !== undefined) return live.notifications && [...live.notifications];
  // No runner has had it yet.
  if ((end?.attempt ?? attempt) === 0 && lease === undefined) return undefined;
  return notificationsOf(await reading(store.loadNotifications(seq)));
}

export function createJobQueries(state: LiveState, explanations: Explanations): JobQueries {
  return {
    async showJob(id, { plain = false } = {}) {
      const stored = await reading(state.store.loadJob(id));
      if (stored === undefined) throw jobNotFound(id);
      const live = state.jobs.get(id);
      const view = toJobResponse(stored, live);
      const webhooks = state.webhooks.ofJob(id);
      if (webhooks.length > 0) view.webhooks = webhooks;
      const notifications = plain ? undefined : await notificationsFor(state, stored, live);
      if (notifications !== undefined) view.notifications = notifications;
      if (live?.phase === 'queued') view.waitingFor = explanations.waitingFor(live);
      return view;
    },
    async listJobs(query) {
      const before = readCursor(query.cursor);
      const { status, type, limit } = query;
      const ended = isEnded(status) ? status : undefined;
      const page =
        status === undefined || ended !== undefined
          ? await reading(state.store.listJobs({ before, limit, type, ended }))
          : await reading(listLive(state, query, before));
      const items = page.jobs.map((stored) => toJobResponse(stored, state.jobs.get(stored.id)));
      return page.next === undefined ? { items } : { items, nextCursor: String(page.next) };
    },
  };
}
