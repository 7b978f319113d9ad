import { z } from 'zod';
import {
  AccessToken,
  CreatedToken,
  Identity,
  RevokedRunner,
  RotatedSecret,
  SecretRotation,
  TokenCreation,
} from './access.js';
import { Artifact } from './artifact.js';
import { ModuleManifest, RunnerCapability, RunnerManifest } from './capability.js';
import { CapabilityOffer } from './capability-offer.js';
import { ErrorEnvelope } from './error-envelope.js';
import { ExecutionEvent } from './execution-event.js';
import {
  CancelExecutionRequest,
  CancelExecutionResponse,
  RunnerExecutionRequest,
  RunnerExecutionResponse,
} from './execution.js';
import {
  AcceptExecutionRequest,
  AcceptExecutionResponse,
  PollRequest,
  PollResponse,
  RecordEventsRequest,
  RecordEventsResponse,
  RunnerFrame,
  ServerFrame,
} from './frame.js';
import { HealthCheck, Probe, RunnerHealth, ServiceMetadata } from './health.js';
import { RunnerHeartbeat, RunnerHeartbeatResponse, RunnerMetadata } from './heartbeat.js';
import {
  JobBatchResponse,
  JobBatchSubmission,
  JobEvent,
  JobList,
  JobLogEntry,
  JobRequest,
  JobResponse,
  JobResult,
  JobSubmission,
  QueueMessage,
} from './job.js';
import { FileReference, JobFile } from './job-file.js';
import { JobWhy } from './job-why.js';
import {
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
} from './registration.js';
import { RetryPolicy } from './retry-policy.js';
import { SecretEntry, SetSecretRequest } from './secrets.js';
import { RunnerStatusReport } from './status.js';
import { AuditEntry, AuditList, ChainReport } from './trail.js';
import {
  TruthAssertion,
  TruthCoreRequest,
  TruthCoreResponse,
  TruthQuery,
  TruthQueryResult,
  TruthSubscription,
} from './truth.js';
import { WebhookMessage } from './webhook-message.js';

/** The messages and records of the contract that have a JSON Schema of their own, by name. */
export const CONTRACT_SCHEMAS = {
  AcceptExecutionRequest,
  AcceptExecutionResponse,
  AccessToken,
  Artifact,
  AuditEntry,
  AuditList,
  CancelExecutionRequest,
  CancelExecutionResponse,
  CapabilityOffer,
  ChainReport,
  CreatedToken,
  ErrorEnvelope,
  ExecutionEvent,
  FileReference,
  HealthCheck,
  Identity,
  JobBatchResponse,
  JobBatchSubmission,
  JobEvent,
  JobFile,
  JobList,
  JobLogEntry,
  JobRequest,
  JobResponse,
  JobResult,
  JobSubmission,
  JobWhy,
  ModuleManifest,
  PollRequest,
  PollResponse,
  Probe,
  QueueMessage,
  RecordEventsRequest,
  RecordEventsResponse,
  RetryPolicy,
  RevokedRunner,
  RotatedSecret,
  RunnerCapability,
  RunnerDeregistrationRequest,
  RunnerDeregistrationResponse,
  RunnerExecutionRequest,
  RunnerExecutionResponse,
  RunnerFrame,
  RunnerHealth,
  RunnerHeartbeat,
  RunnerHeartbeatResponse,
  RunnerManifest,
  RunnerMetadata,
  RunnerRegistrationRequest,
  RunnerRegistrationResponse,
  RunnerStatusReport,
  SecretEntry,
  SecretRotation,
  ServerFrame,
  ServiceMetadata,
  SetSecretRequest,
  TokenCreation,
  TruthAssertion,
  TruthCoreRequest,
  TruthCoreResponse,
  TruthQuery,
  TruthQueryResult,
  TruthSubscription,
  WebhookMessage,
} as const satisfies Record<string, z.ZodType>;

export type ContractSchemaName = keyof typeof CONTRACT_SCHEMAS;

/**
 * The JSON Schema (draft 2020-12) of a message as it is sent: what is defaulted is optional, and unknown
 * members are allowed, so that a later minor may add some.
 */
export function contractJsonSchema(name: ContractSchemaName): Record<string, unknown> {
  const schema = z.toJSONSchema(CONTRACT_SCHEMAS[name], {
    io: 'input',
    target: 'draft-2020-12',
    override: ({ jsonSchema }) => {
      // "Now" is a default, but no constant: a document made from it would change with each run.
      if (jsonSchema.format === 'date-time') delete jsonSchema.default;
    },
  });
  return { ...schema, title: name };
}
