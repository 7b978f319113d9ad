/**
 * @module
 * The errors that this package throws or hands to a developer's code: what went wrong on this side of the
 * wire. What crosses the wire is data, an `ErrorEnvelope` of the contract. Imports the contract alone.
 */

const BRAND = Symbol.for('controlplane.RunnerError');

/**
 * What a {@link RunnerError} is about.
 *
 * - `INVALID_OPTION` an option or environment variable has a value that cannot be used
 * - `INVALID_CAPABILITY` a capability cannot be published as it is defined
 * - `LISTEN_FAILED` the runner could not listen (port taken, address not of this machine)
 * - `REGISTRATION_REFUSED` the control plane refused the runner for good
 * - `CHECKPOINT_REFUSED` a checkpoint is too large, no JSON, or does not fit its schema
 * - `EXTENSION_REFUSED` an execution asked for more time than its capability allows
 * - `ARTIFACT_REFUSED` a file could not be read, or was not taken by the control plane
 * - `FILE_MISSING` the job has no such file, or it can no longer be had
 * - `FILE_MISMATCH` a file of the job arrived as other bytes than the job names
 * - `EXECUTION_OVER` a handler spoke after its execution had ended
 * - `STOPPED` the runner was stopped, and cannot be started or waited for
 */
export type RunnerErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_CAPABILITY'
  | 'LISTEN_FAILED'
  | 'REGISTRATION_REFUSED'
  | 'CHECKPOINT_REFUSED'
  | 'EXTENSION_REFUSED'
  | 'ARTIFACT_REFUSED'
  | 'FILE_MISSING'
  | 'FILE_MISMATCH'
  | 'EXECUTION_OVER'
  | 'STOPPED';

/** Why a control plane refused a runner for good. */
export interface RunnerRefusal {
  /** Of the contract's catalogue, such as `TOKEN_REVOKED`. */
  readonly code: string;
  readonly message: string;
  /** What can be done about it. */
  readonly remedy: string | undefined;
  /** What a process that is its runner's own ends with; another one for each code. */
  readonly exitCode: number;
}

/** What an error of the runner carries beside its message. */
export interface RunnerErrorOptions extends ErrorOptions {
  readonly refusal?: RunnerRefusal | undefined;
}

/** An error of the runner itself, never of a capability. Recognise it with {@link isRunnerError}. */
export class RunnerError extends Error {
  override readonly name = 'RunnerError';
  readonly code: RunnerErrorCode;
  /** Set with `REGISTRATION_REFUSED`. */
  declare readonly refusal?: RunnerRefusal;

  /**
   * @param code - what the error is about
   * @param message - what failed, with which value, and what to do
   * @param options - `cause`: the error underneath; `refusal`: what the control plane said
   */
  constructor(code: RunnerErrorCode, message: string, options?: RunnerErrorOptions) {
    super(message, options);
    this.code = code;
    if (options?.refusal) this.refusal = options.refusal;
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is a {@link RunnerError}, also of another copy of this package.
 * @param value - anything that was thrown
 * @param code - when given, whether it is one with this code
 */
export function isRunnerError(value: unknown, code?: RunnerErrorCode): value is RunnerError {
  if (typeof value !== 'object' || value === null || !Reflect.has(value, BRAND)) return false;
  return code === undefined || (value as RunnerError).code === code;
}
