import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { DurationMs, Identifier, JsonObject, Timestamp } from './identifiers.js';
import { FileReference } from './job-file.js';

export const LogLevel = z.enum(['debug', 'info', 'warn', 'error']);
export type LogLevel = z.infer<typeof LogLevel>;

/** Why an execution was told to stop. */
export const CancelReason = z.enum(['user', 'deadline', 'shutdown', 'lease-lost']);
export type CancelReason = z.infer<typeof CancelReason>;

const position = {
  executionId: Identifier,
  /** 0 for the first event of an execution, then one more each. */
  seq: z.number().int().nonnegative(),
  at: Timestamp,
};

const ending = {
  ...position,
  executionTimeMs: z.number().nonnegative().default(0),
  /** Log events that were left out because a limit was reached. */
  droppedEvents: z.number().int().nonnegative().optional(),
  /** Bytes of UTF-8 of log text that were left out because a limit was reached. */
  droppedBytes: z.number().int().nonnegative().optional(),
  runnerId: z.string().optional(),
};

export const AcceptedEvent = z.object({ ...position, type: z.literal('accepted') });
export type AcceptedEvent = z.infer<typeof AcceptedEvent>;

/** A log line that is meant for people, and kept with its job whatever else is logged. */
export const LogNotification = z.object({
  /** Whom it is for, in the words of whoever wrote the capability. Default: whoever looks at the job. */
  audience: z.string().min(1).max(128).optional(),
});
export type LogNotification = z.infer<typeof LogNotification>;

export const LogEvent = z.object({
  ...position,
  type: z.literal('log'),
  level: LogLevel,
  message: z.string(),
  fields: JsonObject.optional(),
  /** Set for the output of a child process: `message` is a piece of it as it came, ends of line included. */
  stream: z.enum(['stdout', 'stderr']).optional(),
  /** Set where the line is meant for people. */
  notification: LogNotification.optional(),
});
export type LogEvent = z.infer<typeof LogEvent>;

export const ProgressEvent = z.object({
  ...position,
  type: z.literal('progress'),
  /** Share that is done, 0 to 1. */
  fraction: z.number().min(0).max(1),
  message: z.string().optional(),
});
export type ProgressEvent = z.infer<typeof ProgressEvent>;

/** Where the work stands; the last one is handed to the next attempt of the job. */
export const CheckpointEvent = z.object({
  ...position,
  type: z.literal('checkpoint'),
  data: z.unknown().optional(),
});
export type CheckpointEvent = z.infer<typeof CheckpointEvent>;

/** The execution gave itself more time. */
export const ExtendedEvent = z.object({
  ...position,
  type: z.literal('extended'),
  /** The time limit from now on, in milliseconds since the execution was accepted. */
  timeoutMs: DurationMs,
});
export type ExtendedEvent = z.infer<typeof ExtendedEvent>;

/** The execution is about to write: from here on it must not be repeated. */
export const WritingEvent = z.object({ ...position, type: z.literal('writing') });
export type WritingEvent = z.infer<typeof WritingEvent>;

export const SucceededEvent = z.object({
  ...ending,
  type: z.literal('succeeded'),
  data: z.unknown().optional(),
  /** In place of `data`, where that is too large for a message: what `PUT /executions/:id/result` answered. */
  dataFile: FileReference.optional(),
});
export type SucceededEvent = z.infer<typeof SucceededEvent>;

export const FailedEvent = z.object({ ...ending, type: z.literal('failed'), error: ErrorEnvelope });
export type FailedEvent = z.infer<typeof FailedEvent>;

export const CancelledEvent = z.object({
  ...ending,
  type: z.literal('cancelled'),
  reason: CancelReason,
  message: z.string().optional(),
});
export type CancelledEvent = z.infer<typeof CancelledEvent>;

/**
 * What happens in an execution, in order of `seq`: `accepted` first, then logs, progress, checkpoints
 * and announcements (`extended`, `writing`), then exactly one terminal event (`succeeded`, `failed` or `cancelled`) and nothing after it.
 */
export const ExecutionEvent = z.discriminatedUnion('type', [
  AcceptedEvent,
  LogEvent,
  ProgressEvent,
  CheckpointEvent,
  ExtendedEvent,
  WritingEvent,
  SucceededEvent,
  FailedEvent,
  CancelledEvent,
]);
export type ExecutionEvent = z.infer<typeof ExecutionEvent>;

/** The last event of an execution. */
export type TerminalEvent = SucceededEvent | FailedEvent | CancelledEvent;

/** Whether an event is the last one of its execution. */
export function isTerminalEvent(event: ExecutionEvent): event is TerminalEvent {
  return event.type === 'succeeded' || event.type === 'failed' || event.type === 'cancelled';
}
