import { z } from 'zod';
import { Timestamp } from './identifiers.js';
import { JobBatchEntry } from './job.js';

/** Which ended jobs are put back into the queue. Body of `POST /jobs/retry`. */
export const JobRetryRequest = z.object({
  status: z.enum(['failed', 'cancelled']).default('failed'),
  /** A job's own type. */
  type: z.string().max(128).optional(),
  /** The code of the error that the job ended with. */
  code: z.string().max(128).optional(),
  /** Only jobs that ended at this time or later. */
  since: Timestamp.optional(),
  /** Only say which they are. */
  dryRun: z.boolean().default(false),
  limit: z.number().int().min(1).max(1000).default(100),
  /** `nextCursor` of the answer before. */
  cursor: z.string().max(256).optional(),
});
export type JobRetryRequest = z.infer<typeof JobRetryRequest>;

/** The jobs, newest first, each as it stands now or with the reason why it was left as it was. */
export const JobRetryResponse = z.object({
  jobs: z.array(JobBatchEntry),
  /** There may be more: a page may be shorter than its limit and not be the last. */
  nextCursor: z.string().optional(),
});
export type JobRetryResponse = z.infer<typeof JobRetryResponse>;
