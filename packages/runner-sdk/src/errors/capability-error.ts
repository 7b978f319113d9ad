import type { ErrorCategory, ErrorDetail, ErrorSeverity } from '@controlplane/contracts';

const BRAND = Symbol.for('controlplane.CapabilityError');

/** What a capability may say of an error beside its code and message. */
export interface CapabilityErrorOptions extends ErrorOptions {
  /** Whether another attempt may succeed. Default: the catalogue's word for a known code, else `true`. */
  readonly retryable?: boolean | undefined;
  /** Default: the catalogue's for a known code, else `RUNTIME_ERROR`. */
  readonly category?: ErrorCategory | undefined;
  /** Default: the catalogue's for a known code, else `error`. */
  readonly severity?: ErrorSeverity | undefined;
  /** Places in the input that are to blame, and the like. Values under secret-looking keys are redacted. */
  readonly details?: readonly ErrorDetail[] | undefined;
  /** Seconds to wait before the next attempt. */
  readonly retryAfter?: number | undefined;
  /** What the reader can do about it. */
  readonly remedy?: string | undefined;
}

/**
 * An error that a capability throws on purpose: its code, message and options become the error envelope as
 * they are. Anything else that a capability throws becomes a retryable `EXECUTION_FAILED`.
 *
 * @example
 * throw new CapabilityError('NOT_FOUND', `no image at ${url}`, { retryable: false });
 */
export class CapabilityError extends Error {
  override readonly name = 'CapabilityError';
  readonly code: string;
  declare readonly options: CapabilityErrorOptions;

  /**
   * @param code - 1–128 characters, by custom in capitals; your own or one of the contract's catalogue
   * @param message - what failed, with which value, and the likely cause
   * @param options - whether a retry may help, and more
   */
  constructor(code: string, message: string, options: CapabilityErrorOptions = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    // Details, such as the output of a program, are for the job: a logger that prints what is enumerable leaves them out.
    Object.defineProperty(this, 'options', { value: options, configurable: true, writable: true });
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Whether a value is a {@link CapabilityError}, also of another copy of this package.
 * @param value - anything that was thrown
 */
export function isCapabilityError(value: unknown): value is CapabilityError {
  return typeof value === 'object' && value !== null && Reflect.has(value, BRAND);
}
