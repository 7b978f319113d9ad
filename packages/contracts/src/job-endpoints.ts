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
  cancelJob: {
    ...served,
    method: 'POST',
    path: '/jobs/:id/cancel',
    response: JobResponse,
    status: 202,
    auth: 'submit',
    summary: 'Cancel a job that has not ended',
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
