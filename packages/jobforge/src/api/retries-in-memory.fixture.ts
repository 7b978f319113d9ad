import type { JobResponse } from '@controlplane/contracts';
import { JobForgeError } from '../model/job-forge-error.js';
import type { RetryOperations } from '../model/retry-operations.js';

/** The jobs that in-memory retries act on. */
export interface JobsInMemory {
  /** Newest first. */
  all(): readonly JobResponse[];
  /** Refuses with JOB_NOT_FOUND. */
  found(id: string): JobResponse;
  put(job: JobResponse): void;
}

/** How jobs that have ended are run again, over plain values. */
export function retriesInMemory({ all, found, put }: JobsInMemory): RetryOperations {
  const retryJob = async (id: string): Promise<JobResponse> => {
    const { result: _result, ...job } = found(id);
    if (job.status !== 'failed' && job.status !== 'cancelled') throw new JobForgeError('JOB_NOT_RETRYABLE');
    const queued: JobResponse = { ...job, status: 'queued' };
    put(queued);
    return queued;
  };
  return {
    retryJob,
    async retryJobs({ status, limit, dryRun, type }) {
      const jobs = all()
        .filter((job) => job.status === status && (type === undefined || job.request.type === type))
        .slice(0, limit);
      if (!dryRun) await Promise.all(jobs.map(({ id }) => retryJob(id)));
      return { jobs: jobs.map(({ id }) => ({ id, status: dryRun ? status : 'queued' })) };
    },
  };
}
