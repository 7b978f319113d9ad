import {
  JobBatchResponse,
  JobBatchSubmission,
  JobEvent,
  JobEventsQuery,
  JobList,
  JobListQuery,
  JobLogEntry,
  JobResponse,
  JobSubmission,
} from './job.js';
import { JobRetryRequest, JobRetryResponse } from './job-retry.js';
import { JobWhy } from './job-why.js';
import type { Endpoint } from './endpoint.js';
import { NDJSON } from './media-types.js';

const served = { server: 'jobforge', status: 200 } as const;

/** What JobForge answers to those who want work done. */
export const JOB_ENDPOINTS = {
  submitJob: {
    ...served,
    method: 'POST',
    path: '/jobs',
    request: JobSubmission,
    response: JobResponse,
    status: 202,
    auth: 'submit',
    summary: 'Submit a job; on disk when answered',
  },
  submitJobs: {
    ...served,
    method: 'POST',
    path: '/jobs/batch',
    request: JobBatchSubmission,
    response: JobBatchResponse,
    status: 202,
    auth: 'submit',
    summary: 'Submit up to 1,000 jobs at once',
  },
  listJobs: {
    ...served,
    method: 'GET',
    path: '/jobs',
    query: JobListQuery,
    response: JobList,
    auth: 'read',
    summary: 'Jobs, newest first',
  },
  showJob: {
    ...served,
    method: 'GET',
    path: '/jobs/:id',
    response: JobResponse,
    auth: 'read',
    summary: 'One job with its result',
  },
  whyJob: {
    ...served,
    method: 'GET',
    path: '/jobs/:id/why',
    response: JobWhy,
    auth: 'read',
    summary: 'Why a job is not running yet, runner by runner, and what would have to change',
  },
  cancelJob: {
    ...served,
    method: 'POST',
    path: '/jobs/:id/cancel',
    response: JobResponse,
    status: 202,
    auth: 'submit',
    summary: 'Cancel a job that has not ended',
  },
  retryJob: {
    ...served,
    method: 'POST',
    path: '/jobs/:id/retry',
    response: JobResponse,
    status: 202,
    auth: 'submit',
    summary: 'Put a job that failed or was cancelled back into the queue, under its id',
  },
  retryJobs: {
    ...served,
    method: 'POST',
    path: '/jobs/retry',
    request: JobRetryRequest,
    response: JobRetryResponse,
    status: 202,
    auth: 'submit',
    summary: 'Put all jobs back into the queue that ended in a certain way; or say which they are',
  },
  jobEvents: {
    ...served,
    method: 'GET',
    path: '/jobs/:id/events',
    query: JobEventsQuery,
    response: JobEvent,
    stream: 'sse',
    auth: 'read',
    summary: 'What happens to a job, live; resumes after Last-Event-ID',
  },
  jobLogs: {
    ...served,
    method: 'GET',
    path: '/jobs/:id/logs',
    response: JobLogEntry,
    stream: 'text',
    media: ['text/plain', NDJSON],
    auth: 'read',
    summary: 'What a job has logged, as text; with accept application/x-ndjson an entry a line',
  },
} as const satisfies Record<string, Endpoint>;
