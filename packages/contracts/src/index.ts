// Adding a name here makes it public API.
export { Identifier, Timestamp, DurationMs, JsonObject, TraceParent } from './identifiers.js';
export {
  ContractVersion,
  ContractRange,
  CONTRACT_VERSION_CURRENT,
  parseVersion,
  WireContractVersion,
  serializeVersion,
  satisfiesRange,
  isBreakingChange,
  negotiateVersion,
} from './version.js';
export { ErrorSeverity, ErrorCategory, ERROR_CODES, isErrorCode, httpStatusOf } from './error-codes.js';
export type { ErrorCodeEntry, ErrorCode } from './error-codes.js';
export { ErrorDetail, ErrorCause, ErrorEnvelope, createErrorEnvelope, envelopeOf } from './error-envelope.js';
export type { ErrorEnvelopeInput, EnvelopeContext } from './error-envelope.js';
export { RetryPolicy, shouldRetry, calculateRetryDelay } from './retry-policy.js';
export type { RetryDelayOptions } from './retry-policy.js';
export {
  Effects,
  RunnerCapability,
  ModuleManifest,
  RunnerFeature,
  RunnerManifest,
  servesJob,
} from './capability.js';
export {
  LogLevel,
  CancelReason,
  AcceptedEvent,
  LogEvent,
  ProgressEvent,
  SucceededEvent,
  FailedEvent,
  CancelledEvent,
  ExecutionEvent,
  isTerminalEvent,
} from './execution-event.js';
export type { TerminalEvent } from './execution-event.js';
export {
  HealthStatus,
  HealthCheckItem,
  HealthCheck,
  RunnerHealth,
  Probe,
  ServiceMetadata,
} from './health.js';
export {
  PushDelivery,
  Delivery,
  Platform,
  RunnerRegistrationRequest,
  Limits,
  RunnerRegistrationResponse,
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
} from './registration.js';
export {
  RunnerHeartbeat,
  Directive,
  RunnerHeartbeatResponse,
  RunnerStatus,
  RunnerMetadata,
} from './heartbeat.js';
export {
  RunnerExecutionRequest,
  toExecutionRequest,
  RunnerExecutionResponse,
  CancelExecutionRequest,
  CancelExecutionResponse,
} from './execution.js';
export type { ExecutionRequest } from './execution.js';
export {
  JobId,
  JobStatus,
  isFinalStatus,
  JobPriority,
  JobMetadata,
  JobPayload,
  JobRequest,
  JobSubmission,
  JobBatchSubmission,
  JobResult,
  JobResponse,
  JobBatchEntry,
  JobBatchResponse,
  JobListQuery,
  JobList,
  JobEventType,
  JobEvent,
  QueueMessage,
} from './job.js';
export { PaginatedRequest, PaginatedResponse, ApiRequest, ApiResponse } from './pagination.js';
export {
  TruthAssertion,
  TruthQuery,
  TruthQueryResult,
  TruthSubscription,
  TruthCoreRequest,
  TruthCoreResponse,
  ConsistencyLevel,
} from './truth.js';
export { NDJSON, executeForm } from './media-types.js';
export { DEFAULTS } from './limits.js';
export { ENDPOINTS, endpointPath } from './endpoints.js';
export type { Endpoint, EndpointName, RequestOf, ResponseOf } from './endpoints.js';
export { CONTRACT_SCHEMAS, contractJsonSchema } from './json-schema.js';
export type { ContractSchemaName } from './json-schema.js';
