import type { Placement } from '@controlplane/contracts';
import { termsOf } from '../model/demand.js';
import { rankOf } from '../model/job-order.js';
import { newLiveJob, type LiveJob } from './live-job.js';

/** A job that waits for a runner, as the scheduler holds it. */
export function waitingJob(
  seq: number,
  {
    priority = 50,
    type = 'echo',
    since = 0,
    ...wanted
  }: {
    readonly priority?: number;
    readonly type?: string;
    readonly since?: number;
    readonly placement?: Placement;
    readonly concurrency?: { key: string; limit: number; onConflict: 'queue' };
  } = {},
): LiveJob {
  const job = newLiveJob({
    ...{ id: `j${seq}`, type, capability: type, priority, createdAt: since, expiresAt: undefined },
    ...{ timeoutMs: undefined, webhook: undefined, executionMetadata: '{}', carried: '', nextAt: 0 },
    terms: termsOf({ type, payload: { type }, ...wanted }),
    rank: rankOf({ priority, since }, 10_000),
  });
  job.seq = seq;
  job.phase = 'queued';
  return job;
}
