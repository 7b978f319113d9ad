import {
  envelopeOf,
  type CancelReason,
  type ErrorCode,
  type ErrorDetail,
  type ErrorEnvelope,
  type FileReference,
  type TerminalEvent,
} from '@controlplane/contracts';
import type { ExecutionRequest } from './execute.js';
import type { RunningExecution } from './running-executions.js';

/** What every terminal event of a runner carries. */
export interface OutcomeStamp {
  readonly at: string;
  readonly elapsedMs: number;
  readonly service: string;
  readonly runnerId: string | undefined;
}

/** How an execution ended, before it is written as an event. */
export type Outcome =
  | { readonly kind: 'succeeded'; readonly data: unknown }
  | { readonly kind: 'succeeded'; readonly dataFile: FileReference }
  | { readonly kind: 'failed'; readonly error: ErrorEnvelope }
  | { readonly kind: 'cancelled'; readonly reason: CancelReason; readonly message: string };

/** The terminal event of an execution. */
export function toTerminalEvent(
  execution: Pick<RunningExecution, 'channel' | 'startedMs'>,
  outcome: Outcome,
  stamp: OutcomeStamp,
): TerminalEvent {
  const { channel } = execution;
  const event = eventOf(outcome, {
    executionId: channel.executionId,
    seq: channel.nextSeq,
    at: stamp.at,
    executionTimeMs: Math.round((stamp.elapsedMs - execution.startedMs) * 1000) / 1000,
  });
  if (stamp.runnerId !== undefined) event.runnerId = stamp.runnerId;
  if (channel.droppedEvents > 0) event.droppedEvents = channel.droppedEvents;
  if (channel.droppedBytes > 0) event.droppedBytes = channel.droppedBytes;
  return event;
}

type Position = Pick<TerminalEvent, 'executionId' | 'seq' | 'at' | 'executionTimeMs'>;

function eventOf(outcome: Outcome, { executionId, seq, at, executionTimeMs }: Position): TerminalEvent {
  switch (outcome.kind) {
    case 'succeeded':
      return 'dataFile' in outcome
        ? { type: 'succeeded', executionId, seq, at, executionTimeMs, dataFile: outcome.dataFile }
        : { type: 'succeeded', executionId, seq, at, executionTimeMs, data: outcome.data };
    case 'failed':
      return { type: 'failed', executionId, seq, at, executionTimeMs, error: outcome.error };
    case 'cancelled':
      return {
        type: 'cancelled',
        executionId,
        seq,
        at,
        executionTimeMs,
        reason: outcome.reason,
        message: outcome.message,
      };
  }
}

/** Makes a failure of the catalogue for an execution. */
export function failureOf(
  code: ErrorCode,
  execution: Pick<RunningExecution, 'request' | 'capability'>,
  more: { readonly service: string; readonly message: string; readonly details?: readonly ErrorDetail[] },
): Outcome {
  const { request, capability } = execution;
  const { correlationId } = request.metadata;
  return {
    kind: 'failed',
    error: envelopeOf(code, {
      service: more.service,
      operation: operationOf(capability),
      message: more.message,
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(more.details === undefined ? {} : { details: [...more.details] }),
    }),
  };
}

/** The one event of an execution that was not admitted. */
export function refusalEvent(
  request: ExecutionRequest,
  { code, message }: { readonly code: ErrorCode; readonly message: string },
  { at, service, runnerId }: OutcomeStamp,
): TerminalEvent {
  const { correlationId } = request.metadata;
  const error = envelopeOf(code, {
    service,
    operation: request.capabilityId,
    message,
    ...(correlationId === undefined ? {} : { correlationId }),
  });
  const runner = runnerId === undefined ? {} : { runnerId };
  return {
    type: 'failed',
    executionId: request.executionId,
    seq: 0,
    at,
    executionTimeMs: 0,
    ...runner,
    error,
  };
}

/** How an envelope names a capability. */
export function operationOf(capability: { readonly id: string; readonly version: string }): string {
  return `${capability.id}@${capability.version}`;
}

/** How an execution ends that was told to stop: decided by who told it, not by what the handler threw. */
export function stoppedOutcome(execution: RunningExecution, kind: CancelReason, service: string): Outcome {
  const { capability, limitMs, extras } = execution;
  if (kind === 'deadline') {
    const why = extras?.isIdle
      ? `was idle: no log, progress, output or checkpoint for ${capability.idleTimeoutMs} ms`
      : `did not end within ${limitMs} ms`;
    return failureOf('EXECUTION_TIMEOUT', execution, {
      service,
      message: `${operationOf(capability)} ${why}`,
    });
  }
  if (kind === 'shutdown') {
    return failureOf('RUNNER_SHUTDOWN', execution, {
      service,
      message: `the runner "${service}" shut down before ${operationOf(capability)} ended`,
    });
  }
  const message = kind === 'user' ? 'cancelled on request' : 'the lease was given to another execution';
  return { kind: 'cancelled', reason: kind, message };
}
