import { RunnerManifest } from './capability.js';
import {
  CancelExecutionRequest,
  CancelExecutionResponse,
  RunnerExecutionRequest,
  RunnerExecutionResponse,
} from './execution.js';
import { HealthCheck, Probe } from './health.js';
import { NDJSON } from './media-types.js';
import { RunnerStatusReport } from './status.js';
import type { Endpoint } from './endpoint.js';

const served = { server: 'runner', status: 200 } as const;

/** What a runner answers. */
export const RUNNER_ENDPOINTS = {
  runnerHealth: {
    ...served,
    method: 'GET',
    path: '/health',
    response: HealthCheck,
    auth: 'none',
    summary: 'Health of the runner and what it depends on; 503 unless healthy',
  },
  runnerLive: {
    ...served,
    method: 'GET',
    path: '/livez',
    response: Probe,
    auth: 'none',
    summary: 'Whether the process answers at all',
  },
  runnerReady: {
    ...served,
    method: 'GET',
    path: '/readyz',
    response: Probe,
    auth: 'none',
    summary: 'Registered, receiving and not draining; 503 otherwise',
  },
  runnerManifest: {
    ...served,
    method: 'GET',
    path: '/manifest',
    response: RunnerManifest,
    auth: 'none',
    summary: 'What the runner can do',
  },
  runnerStatus: {
    ...served,
    method: 'GET',
    path: '/status',
    response: RunnerStatusReport,
    auth: 'none',
    summary: 'What the runner does right now',
  },
  execute: {
    ...served,
    method: 'POST',
    path: '/execute',
    request: RunnerExecutionRequest,
    response: RunnerExecutionResponse,
    media: ['application/json', NDJSON],
    auth: 'dispatch',
    summary: 'Run one execution; with accept application/x-ndjson every event is streamed',
  },
  cancelExecution: {
    ...served,
    method: 'POST',
    path: '/executions/:executionId/cancel',
    request: CancelExecutionRequest,
    response: CancelExecutionResponse,
    status: 202,
    auth: 'dispatch',
    summary: 'Tell an execution to stop',
  },
} as const satisfies Record<string, Endpoint>;
