import type { z } from 'zod';
import { RunnerManifest } from './capability.js';
import {
  CancelExecutionRequest,
  CancelExecutionResponse,
  RunnerExecutionRequest,
  RunnerExecutionResponse,
} from './execution.js';
import {
  AcceptExecutionRequest,
  AcceptExecutionResponse,
  PollRequest,
  PollResponse,
  RecordEventsRequest,
  RecordEventsResponse,
  ServerFrame,
} from './frame.js';
import { HealthCheck, Probe } from './health.js';
import { RunnerHeartbeat, RunnerHeartbeatResponse, RunnerMetadata } from './heartbeat.js';
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
import {
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
} from './registration.js';
import { RunnerStatusReport } from './status.js';

/** One thing that a server answers: the table's row for SDK client, server router, kit and documents. */
export interface Endpoint {
  /** Which side serves it. */
  readonly server: 'runner' | 'jobforge';
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Parameters are written `:name`. */
  readonly path: string;
  /** Schema of the JSON body; absent where there is none. */
  readonly request?: z.ZodType;
  /** Schema of the query string; absent where there is none. */
  readonly query?: z.ZodType;
  /** Schema of the JSON reply; of each line or message where `stream` is set. */
  readonly response: z.ZodType;
  /** Status of the reply when all is well. */
  readonly status: number;
  readonly stream?: 'sse' | 'websocket' | 'text';
  readonly summary: string;
}

const runner = { server: 'runner', status: 200 } as const;
const jobforge = { server: 'jobforge', status: 200 } as const;

/** Every endpoint of the contract, by name. */
export const ENDPOINTS = {
  runnerHealth: {
    ...runner,
    method: 'GET',
    path: '/health',
    response: HealthCheck,
    summary: 'Health of the runner and what it depends on; 503 unless healthy',
  },
  runnerLive: {
    ...runner,
    method: 'GET',
    path: '/livez',
    response: Probe,
    summary: 'Whether the process answers at all',
  },
  runnerReady: {
    ...runner,
    method: 'GET',
    path: '/readyz',
    response: Probe,
    summary: 'Registered, receiving and not draining; 503 otherwise',
  },
  runnerManifest: {
    ...runner,
    method: 'GET',
    path: '/manifest',
    response: RunnerManifest,
    summary: 'What the runner can do',
  },
  runnerStatus: {
    ...runner,
    method: 'GET',
    path: '/status',
    response: RunnerStatusReport,
    summary: 'What the runner does right now',
  },
  execute: {
    ...runner,
    method: 'POST',
    path: '/execute',
    request: RunnerExecutionRequest,
    response: RunnerExecutionResponse,
    summary: 'Run one execution; with accept application/x-ndjson every event is streamed',
  },
  cancelExecution: {
    ...runner,
    method: 'POST',
    path: '/executions/:executionId/cancel',
    request: CancelExecutionRequest,
    response: CancelExecutionResponse,
    status: 202,
    summary: 'Tell an execution to stop',
  },
  registerRunner: {
    ...jobforge,
    method: 'POST',
    path: '/runners/register',
    request: RunnerRegistrationRequest,
    response: RunnerRegistrationResponse,
    summary: 'Join, or renew what is known of a runner',
  },
  heartbeat: {
    ...jobforge,
    method: 'POST',
    path: '/runners/heartbeat',
    request: RunnerHeartbeat,
    response: RunnerHeartbeatResponse,
    summary: 'A sign of life, answered with directives',
  },
  deregisterRunner: {
    ...jobforge,
    method: 'POST',
    path: '/runners/:id/deregister',
    request: RunnerDeregistrationRequest,
    response: RunnerDeregistrationResponse,
    summary: 'Leave: nothing new is sent',
  },
  connectRunner: {
    ...jobforge,
    method: 'GET',
    path: '/runners/connect',
    response: ServerFrame,
    status: 101,
    stream: 'websocket',
    summary: 'Dial in: subprotocol controlplane.v1, one frame a message, the first of them `register`',
  },
  pollRunner: {
    ...jobforge,
    method: 'POST',
    path: '/runners/:id/poll',
    request: PollRequest,
    response: PollResponse,
    summary: 'Ask for work; held open up to 25 s while there is none',
  },
  acceptExecution: {
    ...jobforge,
    method: 'POST',
    path: '/executions/:id/accept',
    request: AcceptExecutionRequest,
    response: AcceptExecutionResponse,
    summary: 'Claim an execution that was offered; 409 LEASE_SUPERSEDED when it went elsewhere',
  },
  recordEvents: {
    ...jobforge,
    method: 'POST',
    path: '/executions/:id/events',
    request: RecordEventsRequest,
    response: RecordEventsResponse,
    summary: 'Tell what happens in an execution; on disk when answered',
  },
  listRunners: {
    ...jobforge,
    method: 'GET',
    path: '/runners',
    response: RunnerMetadata.array(),
    summary: 'Every runner that is known',
  },
  showRunner: {
    ...jobforge,
    method: 'GET',
    path: '/runners/:id',
    response: RunnerMetadata,
    summary: 'One runner',
  },
  submitJob: {
    ...jobforge,
    method: 'POST',
    path: '/jobs',
    request: JobSubmission,
    response: JobResponse,
    status: 202,
    summary: 'Submit a job; on disk when answered',
  },
  submitJobs: {
    ...jobforge,
    method: 'POST',
    path: '/jobs/batch',
    request: JobBatchSubmission,
    response: JobBatchResponse,
    status: 202,
    summary: 'Submit up to 1,000 jobs at once',
  },
  listJobs: {
    ...jobforge,
    method: 'GET',
    path: '/jobs',
    query: JobListQuery,
    response: JobList,
    summary: 'Jobs, newest first',
  },
  showJob: {
    ...jobforge,
    method: 'GET',
    path: '/jobs/:id',
    response: JobResponse,
    summary: 'One job with its result',
  },
  cancelJob: {
    ...jobforge,
    method: 'POST',
    path: '/jobs/:id/cancel',
    response: JobResponse,
    status: 202,
    summary: 'Cancel a job that has not ended',
  },
  jobEvents: {
    ...jobforge,
    method: 'GET',
    path: '/jobs/:id/events',
    query: JobEventsQuery,
    response: JobEvent,
    stream: 'sse',
    summary: 'What happens to a job, live; resumes after Last-Event-ID',
  },
  jobLogs: {
    ...jobforge,
    method: 'GET',
    path: '/jobs/:id/logs',
    response: JobLogEntry,
    stream: 'text',
    summary: 'What a job has logged, as text; with accept application/x-ndjson an entry a line',
  },
  jobForgeHealth: {
    ...jobforge,
    method: 'GET',
    path: '/health',
    response: HealthCheck,
    summary: 'Health of the control plane; 503 unless healthy',
  },
  jobForgeLive: {
    ...jobforge,
    method: 'GET',
    path: '/livez',
    response: Probe,
    summary: 'Whether the process answers at all',
  },
  jobForgeReady: {
    ...jobforge,
    method: 'GET',
    path: '/readyz',
    response: Probe,
    summary: 'Takes jobs; 503 otherwise',
  },
} as const satisfies Record<string, Endpoint>;

export type EndpointName = keyof typeof ENDPOINTS;

/** What a caller sends to an endpoint. */
export type RequestOf<Name extends EndpointName> = (typeof ENDPOINTS)[Name] extends {
  request: infer Schema extends z.ZodType;
}
  ? z.input<Schema>
  : undefined;

/** What an endpoint answers, as the caller reads it. */
export type ResponseOf<Name extends EndpointName> = z.output<(typeof ENDPOINTS)[Name]['response']>;

/**
 * The path of an endpoint with its parameters filled in.
 * @param name - the endpoint
 * @param params - a value for each `:name` of its path; percent-encoded here
 * @throws RangeError when a parameter is missing
 */
export function endpointPath(name: EndpointName, params: Readonly<Record<string, string>> = {}): string {
  return ENDPOINTS[name].path.replace(/:([A-Za-z]+)/g, (_, key: string) => {
    const value = params[key];
    if (value === undefined)
      throw new RangeError(`endpoint ${name} needs the parameter "${key}" for ${ENDPOINTS[name].path}`);
    return encodeURIComponent(value);
  });
}
