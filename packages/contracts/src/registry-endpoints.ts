import { CapabilityOffer } from './capability-offer.js';
import {
  AcceptExecutionRequest,
  AcceptExecutionResponse,
  PollRequest,
  PollResponse,
  RecordEventsRequest,
  RecordEventsResponse,
  ServerFrame,
} from './frame.js';
import { RunnerHeartbeat, RunnerHeartbeatResponse, RunnerMetadata } from './heartbeat.js';
import {
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
} from './registration.js';
import type { Endpoint } from './endpoint.js';

const served = { server: 'jobforge', status: 200 } as const;

/** What JobForge answers to runners, and tells of them. */
export const REGISTRY_ENDPOINTS = {
  registerRunner: {
    ...served,
    method: 'POST',
    path: '/runners/register',
    request: RunnerRegistrationRequest,
    response: RunnerRegistrationResponse,
    auth: 'enroll',
    summary: 'Join, or renew what is known of a runner',
  },
  heartbeat: {
    ...served,
    method: 'POST',
    path: '/runners/heartbeat',
    request: RunnerHeartbeat,
    response: RunnerHeartbeatResponse,
    auth: 'runner',
    summary: 'A sign of life, answered with directives',
  },
  deregisterRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/deregister',
    request: RunnerDeregistrationRequest,
    response: RunnerDeregistrationResponse,
    auth: 'runner',
    summary: 'Leave: nothing new is sent',
  },
  connectRunner: {
    ...served,
    method: 'GET',
    path: '/runners/connect',
    response: ServerFrame,
    status: 101,
    stream: 'websocket',
    auth: 'enroll',
    summary: 'Dial in: subprotocol controlplane.v1, one frame a message, the first of them `register`',
  },
  pollRunner: {
    ...served,
    method: 'POST',
    path: '/runners/:id/poll',
    request: PollRequest,
    response: PollResponse,
    auth: 'runner',
    summary: 'Ask for work; held open up to 25 s while there is none',
  },
  acceptExecution: {
    ...served,
    method: 'POST',
    path: '/executions/:id/accept',
    request: AcceptExecutionRequest,
    response: AcceptExecutionResponse,
    auth: 'runner',
    summary: 'Claim an execution that was offered; 409 LEASE_SUPERSEDED when it went elsewhere',
  },
  recordEvents: {
    ...served,
    method: 'POST',
    path: '/executions/:id/events',
    request: RecordEventsRequest,
    response: RecordEventsResponse,
    auth: 'runner',
    summary: 'Tell what happens in an execution; on disk when answered',
  },
  listRunners: {
    ...served,
    method: 'GET',
    path: '/runners',
    response: RunnerMetadata.array(),
    auth: 'read',
    summary: 'Every runner that is known',
  },
  showRunner: {
    ...served,
    method: 'GET',
    path: '/runners/:id',
    response: RunnerMetadata,
    auth: 'read',
    summary: 'One runner',
  },
  listCapabilities: {
    ...served,
    method: 'GET',
    path: '/capabilities',
    response: CapabilityOffer.array(),
    auth: 'read',
    summary: 'What registered runners can do, each capability and version with who offers it',
  },
} as const satisfies Record<string, Endpoint>;
