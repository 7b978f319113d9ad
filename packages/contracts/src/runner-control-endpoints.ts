import type { Endpoint } from './endpoint.js';
import { RunnerMetadata } from './heartbeat.js';
import {
  RunnerControlRequest,
  RunnerDeletionQuery,
  RunnerDeletionResponse,
  RunnerVerification,
} from './runner-control.js';

const served = { server: 'jobforge', status: 200 } as const;

/** What operators do to runners. */
export const RUNNER_CONTROL_ENDPOINTS = {
  drainRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/drain',
    request: RunnerControlRequest,
    response: RunnerMetadata,
    status: 202,
    auth: 'admin',
    summary: 'Have a runner finish what it runs, take nothing new and leave; its next process is used again',
  },
  disableRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/disable',
    request: RunnerControlRequest,
    response: RunnerMetadata,
    auth: 'admin',
    summary: 'Place nothing new on a runner until it is enabled, across restarts of either side',
  },
  enableRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/enable',
    response: RunnerMetadata,
    auth: 'admin',
    summary: 'Use a runner again that was disabled, or was to drain and has not heard of it',
  },
  verifyRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/verify',
    response: RunnerVerification,
    auth: 'admin',
    summary: 'Probe a runner through the whole path, from the connection to the answer to an execution',
  },
  deleteRunner: {
    ...served,
    method: 'DELETE',
    path: '/runners/:id',
    query: RunnerDeletionQuery,
    response: RunnerDeletionResponse,
    auth: 'admin',
    summary: 'Forget a runner; refused while it is connected or runs something, unless forced',
  },
} as const satisfies Record<string, Endpoint>;
