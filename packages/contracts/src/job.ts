import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { LogLevel, LogNotification } from './execution-event.js';
import { DurationMs, Identifier, JsonObject, Timestamp, TraceParent } from './identifiers.js';
import { FileReference, JobFiles } from './job-file.js';
import { Concurrency, Placement } from './placement.js';
import { RetryPolicy } from './retry-policy.js';
import { JobWebhook, WebhookDelivery } from './webhook.js';

export const JobId = Identifier;
export type JobId = z.infer<typeof JobId>;

/**
 * Where a job stands. `queued` waits for a runner, `retrying` waits for its next attempt, `running` is
 * on a runner; `completed`, `failed` and `cancelled` are final. `pending` waits for its `scheduledAt`.
 */
export const JobStatus = z.enum([
  'pending',
  'queued',
  'running',
  'completed',
  'failed',
  'cancelled',
  'retrying',
]);
export type JobStatus = z.infer<typeof JobStatus>;

/** Whether a job in this state has ended. */
export function isFinalStatus(status: JobStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** 0–100, higher first. */
export const JobPriority = z.number().int().min(0).max(100).default(50);
export type JobPriority = z.infer<typeof JobPriority>;

const now = (): string => new Date().toISOString();

export const JobMetadata = z.object({
  source: z.string().default('api'),
  userId: z.string().optional(),
  sessionId: z.string().optional(),
  correlationId: Identifier.optional(),
  causationId: Identifier.optional(),
  tags: z.array(z.string()).default([]),
  /** Default: when the job is read. */
  createdAt: Timestamp.default(now),
  /** Not started before this. */
  scheduledAt: Timestamp.optional(),
  /** Failed with JOB_EXPIRED when it has not started by then. */
  expiresAt: Timestamp.optional(),
  traceparent: TraceParent.optional(),
});
export type JobMetadata = z.infer<typeof JobMetadata>;

/** What is to be done: `type` names a capability by id. */
export const JobPayload = z.object({
  type: z.string().min(1).max(128),
  version: z.string().default('1.0.0'),
  /** The capability's input. */
  data: JsonObject,
  options: JsonObject.default({}),
  /**
   * An uploaded file that holds the input as JSON, where it is too large for a request; `data` is then empty. What is
   * sent as `data` and larger than the inline limit becomes such a file by itself.
   */
  dataFile: FileReference.optional(),
});
export type JobPayload = z.infer<typeof JobPayload>;

const jobFields = {
  /** Served by a capability whose `supportedJobTypes` names it, where none has the id `payload.type`. */
  type: z.string().min(1).max(128),
  priority: JobPriority,
  payload: JobPayload,
  metadata: JobMetadata.prefault({}),
  retryPolicy: RetryPolicy.prefault({}),
  /** Limit of one attempt. Default: the capability's own, else 30 s. */
  timeoutMs: DurationMs.optional(),
  placement: Placement.optional(),
  concurrency: Concurrency.optional(),
  webhook: JobWebhook.optional(),
  /** Files for its executions, which were uploaded before. */
  files: JobFiles.optional(),
};

/** A job as a client submits it. */
export const JobRequest = z.object({ id: JobId, ...jobFields });
export type JobRequest = z.infer<typeof JobRequest>;

/** The body of `POST /jobs`: a job request whose id may be left to the control plane. */
export const JobSubmission = z.object({ id: JobId.optional(), ...jobFields });
export type JobSubmission = z.infer<typeof JobSubmission>;

export const JobBatchSubmission = z.object({ jobs: z.array(JobSubmission).min(1).max(1000) });
export type JobBatchSubmission = z.infer<typeof JobBatchSubmission>;

export const JobResult = z.object({
  success: z.boolean(),
  data: z.unknown().optional(),
  /**
   * The file that holds the data as JSON, where it was too large for a message: `GET /files/:sha256?job=`. One job is
   * shown with `data` too, up to the size of a request's body.
   */
  dataFile: FileReference.optional(),
  error: ErrorEnvelope.optional(),
  metadata: z.object({
    startedAt: Timestamp.optional(),
    completedAt: Timestamp,
    /** From the start of the last attempt to its end. */
    durationMs: z.number().nonnegative(),
    attempts: z.number().int().min(1).default(1),
    runnerId: z.string().optional(),
    runnerVersion: z.string().optional(),
  }),
});
export type JobResult = z.infer<typeof JobResult>;

/** What an execution had to say to people. */
export const JobNotification = z.object({
  /** Id of the event `job.notification`. */
  id: z.string(),
  at: Timestamp,
  level: LogLevel,
  message: z.string(),
  /** Whom it is for, in the words of whoever wrote the capability. */
  audience: z.string().optional(),
});
export type JobNotification = z.infer<typeof JobNotification>;

/** A job as the control plane shows it. */
export const JobResponse = z.object({
  id: JobId,
  status: JobStatus,
  request: JobRequest,
  result: JobResult.optional(),
  /** The error of the last attempt that failed. */
  error: ErrorEnvelope.optional(),
  updatedAt: Timestamp,
  /** Attempts that a runner has accepted. */
  attempts: z.number().int().nonnegative().optional(),
  runnerId: z.string().optional(),
  executionId: Identifier.optional(),
  progress: z.object({ fraction: z.number().min(0).max(1), message: z.string().optional() }).optional(),
  /** Start of the next attempt, while `retrying`. */
  nextAttemptAt: Timestamp.optional(),
  /** Why a queued job is not running yet. */
  waitingFor: z.string().optional(),
  /** What its executions had to say to people, in order; not in lists of jobs. */
  notifications: z.array(JobNotification).optional(),
  /** Whom its end has not been told yet, or could not be. */
  webhooks: z.array(WebhookDelivery).optional(),
  /** Log lines and steps of progress of an ended job that its record leaves out. */
  droppedEvents: z.number().int().positive().optional(),
  /** Bytes of UTF-8 of log text of an ended job that its record leaves out. */
  droppedBytes: z.number().int().positive().optional(),
});
export type JobResponse = z.infer<typeof JobResponse>;

/** One entry of a batch's reply: the job, or why it was refused. Same order as the submissions. */
export const JobBatchEntry = z.union([
  z.object({ id: JobId, status: JobStatus }),
  z.object({ id: JobId.optional(), error: ErrorEnvelope }),
]);
export type JobBatchEntry = z.infer<typeof JobBatchEntry>;

export const JobBatchResponse = z.object({ jobs: z.array(JobBatchEntry) });
export type JobBatchResponse = z.infer<typeof JobBatchResponse>;

export const JobListQuery = z.object({
  status: JobStatus.optional(),
  type: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  /** `nextCursor` of the page before. */
  cursor: z.string().max(256).optional(),
});
export type JobListQuery = z.infer<typeof JobListQuery>;

/** Newest first. */
export const JobList = z.object({ items: z.array(JobResponse), nextCursor: z.string().optional() });
export type JobList = z.infer<typeof JobList>;

export const JobEventType = z.enum([
  'job.created',
  'job.queued',
  'job.started',
  'job.progress',
  'job.log',
  'job.notification',
  'job.completed',
  'job.failed',
  'job.cancelled',
  'job.retrying',
  'job.expired',
]);
export type JobEventType = z.infer<typeof JobEventType>;

/**
 * What happened to a job: one SSE message of `GET /jobs/:id/events`, whose `id:` field is this id:
 * `<attempt>.<seq of the execution event>`, `0.0` for `job.created`. Ids rise within a job.
 */
export const JobEvent = z.object({
  id: z.string(),
  type: JobEventType,
  jobId: JobId,
  timestamp: Timestamp,
  data: JsonObject.optional(),
  metadata: z.object({ service: z.string(), version: z.string() }),
});
export type JobEvent = z.infer<typeof JobEvent>;

export const JobEventsQuery = z.object({
  /** Only events after this one; the header `Last-Event-ID` goes before it. */
  lastEventId: z.string().max(64).optional(),
  /** `false` ends after what has happened so far. */
  follow: z.enum(['true', 'false']).default('true'),
});
export type JobEventsQuery = z.infer<typeof JobEventsQuery>;

/**
 * A piece of a job's log: the data of a `job.log` or `job.notification` event with its place in the job's history. What is beyond the
 * record's limit is left out of its middle; a line `[… bytes of log left out]` within the message stands for it.
 */
export const JobLogEntry = z.object({
  /** Id of the event. */
  id: z.string(),
  at: Timestamp,
  level: LogLevel,
  message: z.string(),
  fields: JsonObject.optional(),
  /** Set for the output of a child process: `message` is a piece of it as it came. */
  stream: z.enum(['stdout', 'stderr']).optional(),
  /** Set where it is meant for people. */
  notification: LogNotification.optional(),
  /** Bytes of log text that were left out here. */
  droppedBytes: z.number().int().positive().optional(),
});
export type JobLogEntry = z.infer<typeof JobLogEntry>;

export const QueueMessage = z.object({
  id: Identifier,
  jobId: JobId,
  payload: JobPayload,
  priority: JobPriority,
  attempts: z.number().int().nonnegative().default(0),
  maxAttempts: z.number().int().positive().default(3),
  createdAt: Timestamp,
  availableAt: Timestamp,
  expiresAt: Timestamp.optional(),
});
export type QueueMessage = z.infer<typeof QueueMessage>;
