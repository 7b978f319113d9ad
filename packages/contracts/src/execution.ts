import { z } from 'zod';
import { ErrorEnvelope } from './error-envelope.js';
import { CancelReason } from './execution-event.js';
import { DurationMs, Identifier, JsonObject, TraceParent } from './identifiers.js';
import { FileReference, JobFiles } from './job-file.js';
import { SecretValues } from './secrets.js';

/** Asks a runner to run one attempt of a job: the body of `POST /execute`. */
export const RunnerExecutionRequest = z.object({
  jobId: Identifier,
  moduleId: z.string(),
  capabilityId: Identifier,
  /** The capability's input. */
  payload: JsonObject,
  timeoutMs: DurationMs.default(30_000),
  metadata: z
    .object({
      correlationId: Identifier.optional(),
      userId: z.string().optional(),
      traceparent: TraceParent.optional(),
    })
    .default({}),
  /** This attempt; the same id sent twice is answered twice and run once. Default: the job's id. */
  executionId: Identifier.optional(),
  /** 1 for the first attempt. */
  attempt: z.number().int().positive().optional(),
  /** Proves that this execution is the job's current one. Opaque to the runner. */
  leaseToken: z.string().max(256).optional(),
  /** The last checkpoint of the attempts before. */
  checkpoint: z.unknown().optional(),
  /** The secrets that the capability names. For this execution alone: neither stored nor logged. */
  secrets: SecretValues.optional(),
  /** The files that the job brings: read by `GET /files/:sha256`. For runners with the feature `files` alone. */
  files: JobFiles.optional(),
  /**
   * Where the payload is too large to travel here: the file that holds it as JSON, read as `files` are. `payload` is
   * then empty. For runners with the feature `files` alone.
   */
  payloadFile: FileReference.optional(),
  /** The process that this is meant for, as it registered; another process refuses with INSTANCE_MISMATCH. */
  instanceId: Identifier.optional(),
});
export type RunnerExecutionRequest = z.infer<typeof RunnerExecutionRequest>;

/** A request whose execution id is settled: what the work side of a runner is given. */
export type ExecutionRequest = RunnerExecutionRequest & {
  readonly executionId: string;
  readonly attempt: number;
};

/** Settles execution id and attempt: a host that names neither runs each job once. */
export function toExecutionRequest(request: RunnerExecutionRequest): ExecutionRequest {
  return { ...request, executionId: request.executionId ?? request.jobId, attempt: request.attempt ?? 1 };
}

/**
 * The outcome of one execution: the JSON reply of `POST /execute`. Only `success` is required of a
 * runner; ids and times in it are information, not identity.
 */
export const RunnerExecutionResponse = z.object({
  jobId: z.string().optional(),
  success: z.boolean(),
  data: z.unknown().optional(),
  error: ErrorEnvelope.optional(),
  executionTimeMs: z.number().nonnegative().default(0),
  runnerId: z.string().optional(),
  executionId: z.string().optional(),
});
export type RunnerExecutionResponse = z.infer<typeof RunnerExecutionResponse>;

/** Body of `POST /executions/:executionId/cancel`. */
export const CancelExecutionRequest = z.object({
  reason: CancelReason.default('user'),
  leaseToken: z.string().max(256).optional(),
});
export type CancelExecutionRequest = z.infer<typeof CancelExecutionRequest>;

export const CancelExecutionResponse = z.object({
  executionId: Identifier,
  /** False when the execution had already ended. */
  cancelling: z.boolean(),
});
export type CancelExecutionResponse = z.infer<typeof CancelExecutionResponse>;
