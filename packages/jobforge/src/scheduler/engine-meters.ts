import { createCounter, type Counter } from '../metrics/counter.js';
import { createHistogram, SECONDS, type Histogram } from '../metrics/histogram.js';

/** What the scheduler counts as it happens; what can be looked up is looked up when asked for. */
export interface EngineMeters {
  readonly submitted: Counter;
  /** By status. */
  readonly ended: Counter;
  readonly retries: Counter;
  /** By capability: from the time that a job could start to the time that a runner accepted it. */
  readonly wait: Histogram;
  readonly offersReturned: Counter;
  readonly commits: Counter;
  readonly commitFailures: Counter;
  readonly commitOperations: Counter;
  readonly commitSeconds: Histogram;
}

const COMMIT_SECONDS = [0.0005, ...SECONDS.filter((bound) => bound <= 10)];

export function createEngineMeters(): EngineMeters {
  return {
    submitted: createCounter({ name: 'jobforge_jobs_submitted_total', help: 'Jobs that were put on disk.' }),
    ended: createCounter({
      name: 'jobforge_jobs_ended_total',
      help: 'Jobs that have ended, by how: completed, failed or cancelled.',
      labels: ['status'],
    }),
    retries: createCounter({
      name: 'jobforge_job_retries_total',
      help: 'Attempts that ended without ending their job: another one follows.',
    }),
    wait: createHistogram({
      name: 'jobforge_dispatch_latency_seconds',
      help: 'From the time at which a job could start until a runner accepted it.',
      buckets: SECONDS,
      labels: ['capability'],
    }),
    offersReturned: createCounter({
      name: 'jobforge_offers_returned_total',
      help: 'Offers that no runner accepted: the job waits again, no attempt is counted.',
    }),
    commits: createCounter({ name: 'jobforge_store_commits_total', help: 'Transactions that were written.' }),
    commitFailures: createCounter({
      name: 'jobforge_store_commit_failures_total',
      help: 'Transactions that the store could not write.',
    }),
    commitOperations: createCounter({
      name: 'jobforge_store_operations_total',
      help: 'Operations that the transactions carried.',
    }),
    commitSeconds: createHistogram({
      name: 'jobforge_store_commit_seconds',
      help: 'How long a transaction took, until it was on disk.',
      buckets: COMMIT_SECONDS,
    }),
  };
}
