import {
  envelopeOf,
  type EnvelopeContext,
  type ErrorCode,
  type ErrorEnvelope,
} from '@controlplane/contracts';

const BRAND = Symbol.for('@controlplane/jobforge.JobForgeError');

/** A refusal: what JobForge was asked cannot be done. Its envelope is what the caller is sent. */
export class JobForgeError extends Error {
  override readonly name = 'JobForgeError';
  readonly envelope: ErrorEnvelope;
  readonly [BRAND] = true;

  constructor(code: ErrorCode, context: Omit<EnvelopeContext, 'service'> = {}) {
    const envelope = envelopeOf(code, { ...context, service: 'jobforge' });
    super(envelope.message);
    this.envelope = envelope;
  }
}

/** Whether a value is a {@link JobForgeError}, also one of another copy of this package. */
export function isJobForgeError(value: unknown): value is JobForgeError {
  return typeof value === 'object' && value !== null && BRAND in value;
}
