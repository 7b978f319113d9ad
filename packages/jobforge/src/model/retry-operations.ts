import type { JobResponse, JobRetryRequest, JobRetryResponse } from '@controlplane/contracts';

/** How jobs that have ended are run again. */
export interface RetryOperations {
  /**
   * Puts a job that failed or was cancelled back into the queue, under the same id, its attempts kept and its retries
   * counted anew; has one that waits for its next attempt tried at once. Resolves once that is on disk. Refuses with
   * JOB_NOT_FOUND, JOB_NOT_RETRYABLE or SHUTTING_DOWN.
   */
  retryJob(id: string, actor?: string): Promise<JobResponse>;
  /** The same for all that match, a page at a time. */
  retryJobs(request: JobRetryRequest, actor?: string): Promise<JobRetryResponse>;
}
