/**
 * @module
 * model/ holds the pure part of the control plane: what can be asked of it, job states, placement, leases,
 * retries and limits. It imports contracts and nothing else: no node:*, no express, no store, links or api.
 */
import type {
  AcceptExecutionRequest,
  AcceptExecutionResponse,
  CancelReason,
  HealthCheck,
  JobBatchEntry,
  JobEvent,
  JobList,
  JobListQuery,
  JobResponse,
  JobSubmission,
  JobWhy,
  PollRequest,
  Probe,
  RecordEventsRequest,
  RecordEventsResponse,
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerHeartbeat,
  RunnerHeartbeatResponse,
  RunnerMetadata,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { ArtifactOperations } from './artifact-operations.js';
import type { FileOperations } from './file-operations.js';
import type { MetricFamily } from './metric-family.js';
import type { RetryOperations } from './retry-operations.js';
import type { RunnerControlOperations } from './runner-operations.js';
import type { SecretOperations } from './secret-operations.js';
import type { TrailOperations } from './trail-operations.js';
import type { WebhookOperations } from './webhook-operations.js';
import type { AccessOperations } from './access-operations.js';
import type { Caller, RunnerTarget } from './caller.js';
import type { PollAnswer, RunnerConnection, RunnerSession } from './runner-connection.js';

/** A job that was accepted, and whether this call created it or found it (same id, same body). */
export interface Submitted {
  readonly job: JobResponse;
  readonly created: boolean;
}

/** From where in a job's history to listen. */
export interface JobEventsOptions {
  /** Only events after this id (`Last-Event-ID`). Default: all. */
  readonly afterId?: string;
  /** False: end after what has happened so far instead of waiting for more. Default: true. */
  readonly follow?: boolean;
  /** Ends the iteration without an error. */
  readonly signal?: AbortSignal;
}

/**
 * Everything that JobForge can be asked to do. The HTTP API and the embedded library call this and
 * nothing else, so that both behave alike. What is refused is thrown as a `JobForgeError`, whose
 * envelope crosses the wire unchanged. Inputs have been parsed by their contract schemas already. An
 * `actor` is who asked, for the audit trail: default `library`, the program around JobForge.
 */
export interface Operations
  extends
    ArtifactOperations,
    FileOperations,
    RunnerControlOperations,
    RetryOperations,
    SecretOperations,
    TrailOperations,
    WebhookOperations,
    AccessOperations {
  /** Resolves once the job is on disk. Refuses with VALIDATION_ERROR, NO_MATCHING_RUNNER, JOB_CONFLICT, FILE_NOT_FOUND, SHUTTING_DOWN or STORE_UNAVAILABLE. */
  submitJob(submission: JobSubmission, actor?: string): Promise<Submitted>;
  /** One entry a submission, in order. They share transactions; each is on disk or refused on its own. */
  submitJobs(submissions: readonly JobSubmission[], actor?: string): Promise<JobBatchEntry[]>;
  /** Refuses with JOB_NOT_FOUND. `plain` reads no file: of an input or result that travelled as one, its name alone is shown. */
  showJob(id: string, how?: { readonly plain?: boolean }): Promise<JobResponse>;
  listJobs(query: JobListQuery): Promise<JobList>;
  /** Why a job is not running yet. Refuses with JOB_NOT_FOUND. */
  whyJob(id: string): Promise<JobWhy>;
  /** Resolves once the cancellation is on disk; a running execution is told to stop. Refuses with JOB_NOT_FOUND or JOB_FINISHED. */
  cancelJob(id: string, reason?: CancelReason, actor?: string): Promise<JobResponse>;
  /** What has happened, then what happens; ends after the job has. Refuses with JOB_NOT_FOUND at the first step. */
  jobEvents(id: string, options?: JobEventsOptions): AsyncIterable<JobEvent>;

  /** Refuses with CONTRACT_MISMATCH, ALREADY_CONNECTED or VALIDATION_ERROR. */
  registerRunner(request: RunnerRegistrationRequest, caller?: Caller): Promise<RunnerRegistrationResponse>;
  /** Never refuses: a runner that is not known is told so. */
  heartbeat(beat: RunnerHeartbeat, caller?: Caller): Promise<RunnerHeartbeatResponse>;
  /** Refuses with RUNNER_NOT_FOUND. */
  deregisterRunner(id: string, request: RunnerDeregistrationRequest): Promise<RunnerDeregistrationResponse>;
  /** Takes over a socket that a runner has dialled. Its frames have been parsed by their schemas. */
  connectRunner(connection: RunnerConnection, caller?: Caller): RunnerSession;
  /**
   * Resolves when there is something to say, empty after a while or when `signal` aborts. Refuses with
   * RUNNER_NOT_FOUND, INSTANCE_MISMATCH or VALIDATION_ERROR.
   */
  pollRunner(id: string, request: PollRequest & { readonly signal?: AbortSignal }): Promise<PollAnswer>;
  /** Claims an execution that was offered. Refuses with LEASE_SUPERSEDED or EXECUTION_NOT_FOUND. */
  acceptExecution(id: string, request: AcceptExecutionRequest): Promise<AcceptExecutionResponse>;
  /** Resolves once what must be on disk is. Refuses with LEASE_SUPERSEDED or EXECUTION_NOT_FOUND. */
  recordEvents(id: string, request: RecordEventsRequest): Promise<RecordEventsResponse>;
  /** Refuses with RUNNER_MISMATCH whoever has proved to be another runner than the one it asks about. */
  checkOwner(caller: Caller, target: RunnerTarget): void;
  listRunners(): Promise<RunnerMetadata[]>;
  /** Refuses with RUNNER_NOT_FOUND. */
  showRunner(id: string): Promise<RunnerMetadata>;

  /** What is measured, as of now. */
  metrics(): readonly MetricFamily[];
  health(): Promise<HealthCheck>;
  readiness(): Probe;
}
