import { cancellation, type AttemptEndings } from './attempt-endings.js';
import { endCancelled, type CancellationParts } from './cancellation.js';
import type { LiveJob } from './live-job.js';
import type { LiveState } from './live-state.js';

/** Jobs of a job's concurrency key that came before it and are there to stay; all of them where it is not among them. */
function earlier({ concurrency }: LiveState, job: LiveJob): readonly LiveJob[] {
  const { key } = job.terms.concurrency ?? {};
  if (key === undefined) return [];
  const members = concurrency.members(key);
  const place = members.indexOf(job);
  const before = place < 0 ? members : members.slice(0, place);
  return before.filter(({ cancel }) => cancel === undefined);
}

/**
 * Counts a job that may run from now on among those of its concurrency key.
 * @returns false where it is to be cancelled, because the key has as many as it may
 */
export function joinKey(state: LiveState, job: LiveJob): boolean {
  const { concurrency } = job.terms;
  if (concurrency === undefined) return true;
  const others = earlier(state, job).length;
  state.concurrency.join(job);
  return concurrency.onConflict !== 'cancel-newest' || others < concurrency.limit;
}

/** Ends a job that {@link joinKey} turned away. */
export function endTurnedAway(endings: AttemptEndings, job: LiveJob): void {
  const { key, limit } = job.terms.concurrency ?? {};
  const message = `The job was cancelled: ${limit} of the concurrency key "${key}" had not ended when it came.`;
  endings.endWaiting(job, { status: 'cancelled', error: cancellation(job, 'user', message) });
}

/** Cancels those before a job for which it leaves no place as it comes, where it says so. */
export function supersedeOldest(parts: CancellationParts, job: LiveJob): void {
  const { concurrency } = job.terms;
  if (concurrency?.onConflict !== 'cancel-oldest') return;
  const others = earlier(parts.state, job);
  const excess = Math.max(0, others.length + 1 - concurrency.limit);
  for (const other of others.slice(0, excess)) supersede(parts, other);
}

function supersede(parts: CancellationParts, job: LiveJob): void {
  const { commit, log } = parts.state;
  job.cancel = 'user';
  job.superseded = true;
  commit.keep({ kind: 'cancel-job', seq: job.seq, reason: 'superseded' }, () => {
    endCancelled(parts, job, 'user').catch(() =>
      log('debug', 'a superseded job had ended', { jobId: job.id }),
    );
  });
}
