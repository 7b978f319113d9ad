import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { ExecutionEvent } from './execution-event.js';
import { RunnerExecutionRequest } from './execution.js';
import { Directive, RunnerHeartbeat, RunnerHeartbeatResponse } from './heartbeat.js';
import { Identifier } from './identifiers.js';
import { RunnerRegistrationRequest, RunnerRegistrationResponse } from './registration.js';

/** The WebSocket subprotocol of `GET /runners/connect`. */
export const WEBSOCKET_PROTOCOL = 'controlplane.v1';

/** Codes that a connection is closed with, beside those of RFC 6455. */
export const CLOSE_CODES = {
  /** The runner was refused: a `refused` frame says why, and whether it helps to try again. */
  refused: 4000,
  /** Another connection of the same process took this one's place. */
  replaced: 4001,
  /** No answer to a ping in time. */
  silent: 4002,
  /** The peer said something that the contract does not allow. */
  protocol: 4003,
  /** No `register` or no `ready` in time. */
  handshake: 4004,
} as const;

const LeaseToken = z.string().max(256);

/** Claims an execution that was offered; it runs once this is confirmed. Body of `POST /executions/:id/accept`. */
export const AcceptExecutionRequest = z.object({ leaseToken: LeaseToken.optional() });
export type AcceptExecutionRequest = z.infer<typeof AcceptExecutionRequest>;

export const AcceptExecutionResponse = z.object({ executionId: Identifier, accepted: z.literal(true) });
export type AcceptExecutionResponse = z.infer<typeof AcceptExecutionResponse>;

/** Events of one execution, in order. Body of `POST /executions/:id/events`. */
export const RecordEventsRequest = z.object({
  leaseToken: LeaseToken.optional(),
  events: z.array(ExecutionEvent).min(1).max(10_000),
});
export type RecordEventsRequest = z.infer<typeof RecordEventsRequest>;

export const RecordEventsResponse = z.object({
  executionId: Identifier,
  /** Every event up to this one is recorded and need not be kept. */
  acknowledgedSeq: z.number().int().nonnegative(),
});
export type RecordEventsResponse = z.infer<typeof RecordEventsResponse>;

/** What a runner that dials in says. The first frame is `register`. */
export const RunnerFrame = z.discriminatedUnion('type', [
  z.object({ type: z.literal('register'), registration: RunnerRegistrationRequest }),
  z.object({ type: z.literal('heartbeat'), heartbeat: RunnerHeartbeat }),
  /** Claims executions that were offered: each runs once its claim is confirmed. */
  z.object({
    type: z.literal('accept'),
    executions: z.array(z.object({ executionId: Identifier, leaseToken: LeaseToken.optional() })).max(10_000),
  }),
  z.object({
    type: z.literal('events'),
    executions: z.array(RecordEventsRequest.extend({ executionId: Identifier })).max(10_000),
  }),
  /** The runner leaves: what it holds has been handed back. */
  z.object({ type: z.literal('deregister'), reason: z.string().max(256).optional() }),
]);
export type RunnerFrame = z.infer<typeof RunnerFrame>;

/** A code where an execution is not, or no longer, the runner's: it stops it and forgets it. */
const verdict = {
  executionId: Identifier,
  code: z.enum(['LEASE_SUPERSEDED', 'EXECUTION_NOT_FOUND']).optional(),
};

/** What the control plane says to a runner that dials in. The first frame is `ready` or `refused`. */
export const ServerFrame = z.discriminatedUnion('type', [
  /** Answers `register` and sets the cadence. */
  z.object({ type: z.literal('ready'), registration: RunnerRegistrationResponse }),
  /** Why the connection is about to be closed. For good unless the error is `retryable`. */
  z.object({ type: z.literal('refused'), error: ErrorEnvelope }),
  /** Answers `heartbeat`. */
  z.object({ type: z.literal('heartbeat'), reply: RunnerHeartbeatResponse }),
  /** Work to be accepted within five seconds. One that the runner has already is answered from what it kept. */
  z.object({ type: z.literal('offers'), executions: z.array(RunnerExecutionRequest) }),
  /** Answers `accept`. */
  z.object({ type: z.literal('confirmed'), executions: z.array(z.object(verdict)) }),
  /** Answers `events`, once what must be on disk is. */
  z.object({
    type: z.literal('acknowledged'),
    executions: z.array(z.object({ ...verdict, seq: z.number().int().nonnegative() })),
  }),
  z.object({
    type: z.literal('directives'),
    directives: z.array(z.union([Directive, z.looseObject({ kind: z.string() })])),
  }),
]);
export type ServerFrame = z.infer<typeof ServerFrame>;

/** Asks for work. Body of `POST /runners/:id/poll`. */
export const PollRequest = z.object({
  instanceId: Identifier.optional(),
  /** Free slots: no more is offered. Default: what the registration leaves. */
  maxExecutions: z.number().int().nonnegative().optional(),
});
export type PollRequest = z.infer<typeof PollRequest>;

/** Answered as soon as there is something to say, empty after 25 s. */
export const PollResponse = z.object({
  /** `offers` and `directives`; kinds that a runner does not know are ignored. */
  frames: z.array(z.union([ServerFrame, z.looseObject({ type: z.string() })])),
});
export type PollResponse = z.infer<typeof PollResponse>;
