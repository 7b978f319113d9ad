import { z } from 'zod';
import { ERROR_CODES, ErrorCategory, ErrorSeverity, type ErrorCode } from './error-codes.js';
import { Identifier, Timestamp } from './identifiers.js';
import { CONTRACT_VERSION_CURRENT, WireContractVersion } from './version.js';

/** One thing that is wrong, with the place where it is. */
export const ErrorDetail = z.object({
  /** Members and indexes from the root of the value, such as `["input", "items", "0"]`. */
  path: z.array(z.string()).optional(),
  message: z.string(),
  code: z.string().optional(),
  value: z.unknown().optional(),
});
export type ErrorDetail = z.infer<typeof ErrorDetail>;

/** One error of the chain that led to an envelope, outermost first. */
export const ErrorCause = z.object({ name: z.string(), message: z.string(), code: z.string().optional() });
export type ErrorCause = z.infer<typeof ErrorCause>;

/** An error as data: the only form in which errors cross a wire. */
export const ErrorEnvelope = z.object({
  id: Identifier,
  timestamp: Timestamp,
  category: ErrorCategory,
  severity: ErrorSeverity,
  code: z.string().min(1).max(128),
  message: z.string(),
  details: z.array(ErrorDetail).default([]),
  service: z.string(),
  operation: z.string().optional(),
  correlationId: Identifier.optional(),
  causationId: Identifier.optional(),
  retryable: z.boolean().default(false),
  /** Seconds to wait before a retry, as in the HTTP header of this name. */
  retryAfter: z.number().nonnegative().optional(),
  contractVersion: WireContractVersion,
  /** What the reader can do about it. */
  remedy: z.string().optional(),
  /** At most ten causes, outermost first. */
  causes: z.array(ErrorCause).max(10).optional(),
});
export type ErrorEnvelope = z.infer<typeof ErrorEnvelope>;

/** What a caller of {@link createErrorEnvelope} says; identity and version are added. */
export type ErrorEnvelopeInput = Omit<z.input<typeof ErrorEnvelope>, 'id' | 'timestamp' | 'contractVersion'>;

/**
 * Makes a complete, valid envelope.
 * @param params - category, severity, code, message and service, and whatever else is known
 * @returns the envelope with a new id, the time now, the current contract version and `details` filled;
 * an id, timestamp or contractVersion in `params` is ignored
 * @throws ZodError when `params` do not make a valid envelope
 */
export function createErrorEnvelope(params: ErrorEnvelopeInput): ErrorEnvelope {
  return ErrorEnvelope.parse({
    ...params,
    id: globalThis.crypto.randomUUID(),
    timestamp: new Date().toISOString(),
    contractVersion: CONTRACT_VERSION_CURRENT,
  });
}

/** What is said beside the code when an envelope is made from the catalogue. */
export type EnvelopeContext = Pick<ErrorEnvelopeInput, 'service'> &
  Partial<Omit<ErrorEnvelopeInput, 'service' | 'code' | 'category'>>;

/**
 * Makes an envelope from the catalogue: category, severity, retryable, message and remedy come from the
 * code unless `context` says otherwise; what it leaves undefined it does not say.
 * @param code - a code of {@link ERROR_CODES}
 * @param context - `service`, and what is known more exactly than the catalogue knows it
 */
export function envelopeOf(code: ErrorCode, context: EnvelopeContext): ErrorEnvelope {
  const { category, severity, retryable, message, remedy } = ERROR_CODES[code];
  const said = Object.fromEntries(
    Object.entries(context).filter(([, value]) => value !== undefined),
  ) as EnvelopeContext;
  return createErrorEnvelope({ category, severity, retryable, message, remedy, ...said, code });
}
