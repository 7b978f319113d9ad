import { z } from 'zod';

export const ErrorSeverity = z.enum(['fatal', 'error', 'warning', 'info']);
export type ErrorSeverity = z.infer<typeof ErrorSeverity>;

export const ErrorCategory = z.enum([
  'VALIDATION_ERROR',
  'SCHEMA_MISMATCH',
  'RUNTIME_ERROR',
  'TIMEOUT',
  'NETWORK_ERROR',
  'AUTHENTICATION_ERROR',
  'AUTHORIZATION_ERROR',
  'RESOURCE_NOT_FOUND',
  'RESOURCE_CONFLICT',
  'RATE_LIMITED',
  'SERVICE_UNAVAILABLE',
  'RUNNER_ERROR',
  'TRUTHCORE_ERROR',
  'INTERNAL_ERROR',
]);
export type ErrorCategory = z.infer<typeof ErrorCategory>;

/** What is known of an error by its code alone. */
export interface ErrorCodeEntry {
  readonly category: ErrorCategory;
  readonly severity: ErrorSeverity;
  /** Whether the same request may succeed later without being changed. */
  readonly retryable: boolean;
  readonly httpStatus: number;
  /** Used where the place that failed has nothing more exact to say. */
  readonly message: string;
  /** What the reader can do about it. */
  readonly remedy: string;
}

type Words = readonly [message: string, remedy: string];

const permanent = (
  category: ErrorCategory,
  httpStatus: number,
  [message, remedy]: Words,
): ErrorCodeEntry => ({
  category,
  severity: 'error',
  retryable: false,
  httpStatus,
  message,
  remedy,
});

const transient = (category: ErrorCategory, httpStatus: number, words: Words): ErrorCodeEntry => ({
  ...permanent(category, httpStatus, words),
  retryable: true,
});

/** Every code that the contract itself defines. Capabilities may add codes of their own. */
export const ERROR_CODES = {
  VALIDATION_ERROR: permanent('VALIDATION_ERROR', 400, [
    'The input does not match the schema.',
    'Compare the paths in `details` with the schema and send a corrected request.',
  ]),
  INVALID_JSON: permanent('VALIDATION_ERROR', 400, [
    'The body is not valid JSON.',
    'Send a JSON object with content-type application/json.',
  ]),
  UNSUPPORTED_MEDIA_TYPE: permanent('VALIDATION_ERROR', 415, [
    'The content-type is not one that this endpoint reads.',
    'Send content-type application/json.',
  ]),
  PAYLOAD_TOO_LARGE: permanent('VALIDATION_ERROR', 413, [
    'The body is larger than the limit.',
    'Send less, or pass a reference to the data instead of the data.',
  ]),
  ROUTE_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'Nothing is served at this path.',
    'Check the path against the endpoints of the contract.',
  ]),
  METHOD_NOT_ALLOWED: permanent('VALIDATION_ERROR', 405, [
    'The path exists, but not with this method.',
    'Use a method named in the allow header.',
  ]),
  JOB_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no job with this id.',
    'List the jobs to see which ids exist; finished jobs may have been removed.',
  ]),
  JOB_CONFLICT: permanent('RESOURCE_CONFLICT', 409, [
    'A job with this id exists and was submitted with another body.',
    'Use a new id, or submit the same body to get the job that exists.',
  ]),
  JOB_FINISHED: permanent('RESOURCE_CONFLICT', 409, [
    'The job has already ended.',
    'Nothing is left to do; read its result.',
  ]),
  JOB_NOT_RETRYABLE: permanent('RESOURCE_CONFLICT', 409, [
    'Only a job that failed or was cancelled can be put back into the queue.',
    'Submit the work as a new job, or wait until this one has ended.',
  ]),
  JOB_EXPIRED: permanent('TIMEOUT', 410, [
    'The job was not started before it expired.',
    'Submit it with a later `expiresAt`, or start more runners.',
  ]),
  NO_MATCHING_RUNNER: transient('RESOURCE_NOT_FOUND', 409, [
    'No runner matches what the job asks for, and it asked not to wait.',
    'Start a runner that matches, ask for less, or leave `placement.noMatch` out and let the job wait.',
  ]),
  RUNNER_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no runner with this id.',
    'Register first and use the `runnerId` of the reply.',
  ]),
  RUNNER_IN_USE: permanent('RESOURCE_CONFLICT', 409, [
    'The runner is connected or runs something.',
    'Drain it and wait until it has left, or force the deletion: what it runs then counts as lost.',
  ]),
  CAPABILITY_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'This runner does not offer the capability.',
    'Ask for a capability that its manifest lists.',
  ]),
  SECRET_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no secret with this name.',
    '`jobforge secret list` shows those that are set.',
  ]),
  SECRET_MISSING: permanent('RESOURCE_NOT_FOUND', 409, [
    'The capability needs a secret that is not set.',
    'Set it with `jobforge secret set NAME`, then submit or retry the job.',
  ]),
  SECRETS_LOCKED: permanent('SERVICE_UNAVAILABLE', 503, [
    'JobForge has no key for its secrets, or another one than they were stored with.',
    'Start it with JOBFORGE_SECRETS_KEY or JOBFORGE_SECRETS_KEY_FILE: 32 bytes, as base64 or hex.',
  ]),
  WEBHOOK_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no webhook with this id.',
    'List the webhooks to see which ids exist.',
  ]),
  WEBHOOK_CONFLICT: permanent('RESOURCE_CONFLICT', 409, [
    'A webhook with this id exists.',
    'Use another id, or remove that one first.',
  ]),
  ARTIFACT_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'The job has left no file with this name.',
    '`jobforge job artifacts ID` shows those that it has left; they go with the job.',
  ]),
  FILE_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no such file here, or not for this caller.',
    'Upload it with PUT /files/:sha256, then submit the job; an upload that no job names is kept for a day.',
  ]),
  EXECUTION_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no such execution here.',
    'It may have ended; read the job.',
  ]),
  CONTRACT_MISMATCH: permanent('SCHEMA_MISMATCH', 409, [
    'The two sides speak different majors of the contract.',
    'Upgrade the older side.',
  ]),
  LEASE_SUPERSEDED: permanent('RESOURCE_CONFLICT', 409, [
    'The lease of this execution has been given to another.',
    'Stop the work and drop its result.',
  ]),
  INSTANCE_MISMATCH: permanent('RESOURCE_CONFLICT', 409, [
    'The execution is meant for another process of this runner.',
    'Send it to the process that is registered now, as a new execution.',
  ]),
  ALREADY_CONNECTED: permanent('RESOURCE_CONFLICT', 409, [
    'Another process is connected as this runner.',
    'Stop the other process, or give this one another name or machine id.',
  ]),
  CREDENTIAL_MISSING: permanent('AUTHENTICATION_ERROR', 401, [
    'The request carries no credential.',
    'Send `authorization: Bearer …`: a runner its enrollment token, runner secret or session credential, anybody else an API token.',
  ]),
  CREDENTIAL_INVALID: permanent('AUTHENTICATION_ERROR', 401, [
    'The credential is not one that is known here.',
    'Check which token or secret the runner was given, and by which control plane.',
  ]),
  TOKEN_EXPIRED: permanent('AUTHENTICATION_ERROR', 401, [
    'The token has expired.',
    'Create a new one with `jobforge token create` and use it instead.',
  ]),
  TOKEN_REVOKED: permanent('AUTHENTICATION_ERROR', 401, [
    'The credential was revoked.',
    'Ask whoever revoked it; a new one is made with `jobforge token create`.',
  ]),
  MACHINE_MISMATCH: permanent('AUTHORIZATION_ERROR', 403, [
    'The credential is bound to another machine.',
    'Use it on the machine that enrolled with it, or create a token for this one.',
  ]),
  SESSION_EXPIRED: transient('AUTHENTICATION_ERROR', 401, [
    'The session credential has expired.',
    'Register again with the runner secret; the SDK does so by itself.',
  ]),
  ROLE_REQUIRED: permanent('AUTHORIZATION_ERROR', 403, [
    'The credential does not allow this.',
    'Use a token with the role that the message names; `jobforge token create` makes one.',
  ]),
  SCOPE_EXCEEDED: permanent('AUTHORIZATION_ERROR', 403, [
    'The token is made for other capabilities or runners.',
    'Use a token without that scope, or ask for what it names.',
  ]),
  RUNNER_MISMATCH: permanent('AUTHORIZATION_ERROR', 403, [
    'The credential belongs to another runner.',
    'Send what the registration of this runner brought, and the id of its reply.',
  ]),
  AUTH_RATE_LIMITED: transient('RATE_LIMITED', 429, [
    'Too many credentials were refused.',
    'Correct the credential, wait for the seconds in the retry-after header, and ask again.',
  ]),
  TOKEN_NOT_FOUND: permanent('RESOURCE_NOT_FOUND', 404, [
    'There is no token with this name.',
    'List the tokens to see which there are.',
  ]),
  TOKEN_CONFLICT: permanent('RESOURCE_CONFLICT', 409, [
    'There is a token with this name already.',
    'Choose another name: names of tokens that are over are not given again.',
  ]),
  SIGNATURE_INVALID: permanent('AUTHENTICATION_ERROR', 401, [
    'The signature does not match the body, or its time is too far from now.',
    'Check that both sides have the key of the same registration and that their clocks agree.',
  ]),
  OUTPUT_INVALID: permanent('SCHEMA_MISMATCH', 500, [
    'The capability returned what its own output schema refuses.',
    'Correct the capability or its output schema.',
  ]),
  EXECUTION_FAILED: transient('RUNTIME_ERROR', 500, [
    'The capability threw an error.',
    'Read the causes; throw CapabilityError with retryable: false where a retry cannot help.',
  ]),
  EXECUTION_CRASHED: transient('RUNNER_ERROR', 500, [
    'The thread or process that ran the capability ended before it returned.',
    'Read its last output in the log of the job; memory is the usual cause.',
  ]),
  EXECUTION_TIMEOUT: transient('TIMEOUT', 504, [
    'The execution did not end within its time limit.',
    'Raise `timeoutMs`, or make the capability faster.',
  ]),
  EXECUTION_CANCELLED: permanent('RUNNER_ERROR', 409, [
    'The execution was cancelled.',
    'Submit the job again if it is still wanted.',
  ]),
  RUNNER_BUSY: transient('RATE_LIMITED', 429, [
    'Every slot of the runner is taken.',
    'Send the execution later or to another runner.',
  ]),
  RUNNER_DRAINING: transient('SERVICE_UNAVAILABLE', 503, [
    'The runner is shutting down and accepts nothing new.',
    'Send the execution to another runner.',
  ]),
  RUNNER_SHUTDOWN: transient('SERVICE_UNAVAILABLE', 503, [
    'The runner shut down before the execution ended.',
    'It is offered again; nothing needs to be done.',
  ]),
  RUNNER_LOST: permanent('RUNNER_ERROR', 502, [
    'The runner was lost after it had begun to write.',
    'Check what it wrote, then submit the job again.',
  ]),
  RUNNER_UNREACHABLE: transient('NETWORK_ERROR', 502, [
    'The runner did not answer.',
    'Check that the runner runs and that its execute URL can be reached from JobForge.',
  ]),
  RUNNER_PROTOCOL_ERROR: permanent('RUNNER_ERROR', 502, [
    'The runner answered something that the contract does not allow.',
    'Run `contract-test run --url` against the runner.',
  ]),
  HOST_NOT_ALLOWED: permanent('AUTHORIZATION_ERROR', 403, [
    'The host header names neither this machine nor an allowed host.',
    'Use 127.0.0.1 or localhost, or start JobForge with --allow-host.',
  ]),
  SHUTTING_DOWN: transient('SERVICE_UNAVAILABLE', 503, [
    'JobForge is shutting down and accepts nothing new.',
    'Try again in a moment.',
  ]),
  STORE_UNAVAILABLE: transient('SERVICE_UNAVAILABLE', 503, [
    'The store could not be written.',
    'Check the disk and the permissions of the data folder.',
  ]),
  SUBSCRIBER_TOO_SLOW: transient('SERVICE_UNAVAILABLE', 503, [
    'Events arrived faster than they were read.',
    'Connect again with Last-Event-ID set to the last event that was read.',
  ]),
  INTERNAL_ERROR: permanent('INTERNAL_ERROR', 500, [
    'Something failed that should not have.',
    'Report it with the id of this error.',
  ]),
} as const satisfies Record<string, ErrorCodeEntry>;

/** A code that the contract itself defines. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a code is one of the contract's own. */
export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(ERROR_CODES, code);
}

/**
 * The HTTP status that carries an error.
 * @param code - the envelope's code; any text
 * @returns the status of the catalogue; 500 for codes that capabilities define themselves
 */
export function httpStatusOf(code: string): number {
  return isErrorCode(code) ? ERROR_CODES[code].httpStatus : 500;
}
