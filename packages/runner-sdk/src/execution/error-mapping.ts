import {
  createErrorEnvelope,
  envelopeOf,
  ERROR_CODES,
  ErrorCategory,
  ErrorSeverity,
  isErrorCode,
  redactText,
  type ErrorCause,
  type ErrorDetail,
  type ErrorEnvelope,
} from '@controlplane/contracts';
import { isCapabilityError } from '../errors/capability-error.js';
import { readMember, sayThrown, toSafeJson, truncateText } from '../util/safe-json.js';

/** Where an error happened. */
export interface ErrorPlace {
  /** The runner's name. */
  readonly service: string;
  /** The capability, as `id@version`. */
  readonly operation?: string | undefined;
  readonly correlationId?: string | undefined;
}

const MAX_CAUSES = 10;
const MAX_MESSAGE = 2000;

/** Codes by which a runner speaks for itself: thrown by a capability they would mislead the control plane. */
const RESERVED = new Set([
  'RUNNER_BUSY',
  'RUNNER_DRAINING',
  'RUNNER_SHUTDOWN',
  'RUNNER_LOST',
  'RUNNER_UNREACHABLE',
  'RUNNER_PROTOCOL_ERROR',
  'CAPABILITY_NOT_FOUND',
  'EXECUTION_NOT_FOUND',
  'EXECUTION_CANCELLED',
  'LEASE_SUPERSEDED',
  'INSTANCE_MISMATCH',
]);

const isObject = (value: unknown): value is object =>
  (typeof value === 'object' && value !== null) || typeof value === 'function';

function textOf(value: object, key: string): string | undefined {
  const member = readMember(value, key);
  if (typeof member === 'string' && member !== '') return redactText(truncateText(member, MAX_MESSAGE));
  return typeof member === 'number' ? String(member) : undefined;
}

function describeThrown(thrown: unknown): ErrorCause {
  const message = sayThrown(thrown);
  if (!isObject(thrown)) return { name: 'NonError', message };
  const code = textOf(thrown, 'code');
  return { name: textOf(thrown, 'name') ?? 'NonError', message, ...(code === undefined ? {} : { code }) };
}

/** What lies under an error: its cause, and the members of an AggregateError. */
function underneath(thrown: object): unknown[] {
  const cause = readMember(thrown, 'cause');
  const errors = readMember(thrown, 'errors');
  const members: unknown[] = Array.isArray(errors) ? errors.slice(0, MAX_CAUSES) : [];
  return cause === undefined ? members : [cause, ...members];
}

/** The chain that led to an error, outermost first and without the error itself. */
function causesOf(thrown: unknown): ErrorCause[] {
  const causes: ErrorCause[] = [];
  const seen = new Set<unknown>([thrown]);
  const waiting = isObject(thrown) ? underneath(thrown) : [];
  while (waiting.length > 0 && causes.length < MAX_CAUSES) {
    const next = waiting.shift();
    if (seen.has(next)) continue;
    seen.add(next);
    causes.push(describeThrown(next));
    if (isObject(next)) waiting.unshift(...underneath(next));
  }
  return causes;
}

function safeDetails(details: unknown): ErrorDetail[] {
  if (!Array.isArray(details)) return [];
  const all = toSafeJson(details.slice(0, 100));
  return (Array.isArray(all) ? all : []).map((copied) => {
    if (typeof copied !== 'object' || copied === null || Array.isArray(copied))
      return { message: JSON.stringify(copied) };
    const { path, message, code, value } = copied;
    return {
      message: typeof message === 'string' ? redactText(truncateText(message, MAX_MESSAGE)) : '',
      ...(Array.isArray(path) ? { path: path.map(String) } : {}),
      ...(typeof code === 'string' ? { code } : {}),
      ...(value === undefined ? {} : { value }),
    };
  });
}

function retryAdvice(
  option: (key: string) => unknown,
  fallbackRemedy: string | undefined,
): { retryAfter?: number; remedy?: string } {
  const retryAfter = option('retryAfter');
  const remedy = option('remedy') ?? fallbackRemedy;
  return {
    ...(typeof retryAfter === 'number' && retryAfter >= 0 && retryAfter < Infinity ? { retryAfter } : {}),
    ...(typeof remedy === 'string' ? { remedy: truncateText(remedy, MAX_MESSAGE) } : {}),
  };
}

function fromCapabilityError(thrown: object, place: ErrorPlace): ErrorEnvelope {
  const shown = describeThrown(thrown);
  const code = (shown.code ?? '').slice(0, 128);
  if (code === '' || RESERVED.has(code)) return fromUnknown(thrown, place);
  const given = readMember(thrown, 'options');
  const option = (key: string): unknown => (isObject(given) ? readMember(given, key) : undefined);
  const known = isErrorCode(code) ? ERROR_CODES[code] : ERROR_CODES.EXECUTION_FAILED;
  const causes = causesOf(thrown);
  return createErrorEnvelope({
    ...place,
    code,
    message: shown.message,
    category: ErrorCategory.catch(known.category).parse(option('category')),
    severity: ErrorSeverity.catch(known.severity).parse(option('severity')),
    retryable: (option('retryable') ?? known.retryable) === true,
    details: safeDetails(option('details')),
    ...retryAdvice(option, isErrorCode(code) ? known.remedy : undefined),
    ...(causes.length > 0 ? { causes } : {}),
  });
}

function fromUnknown(thrown: unknown, place: ErrorPlace): ErrorEnvelope {
  const shown = describeThrown(thrown);
  return envelopeOf('EXECUTION_FAILED', {
    ...place,
    message: shown.message,
    causes: [shown, ...causesOf(thrown)].slice(0, MAX_CAUSES),
  });
}

/**
 * Turns whatever a capability threw into an envelope: the only place that does. Never throws, whatever the
 * value is or does when it is read; keeps at most ten causes; redacts what looks secret; no stack leaves the
 * runner.
 * @param thrown - anything
 * @param place - runner, capability and correlation, for the envelope
 */
export function toErrorEnvelope(thrown: unknown, place: ErrorPlace): ErrorEnvelope {
  try {
    return isCapabilityError(thrown) ? fromCapabilityError(thrown, place) : fromUnknown(thrown, place);
  } catch {
    return envelopeOf('EXECUTION_FAILED', {
      service: place.service,
      message: 'the capability threw a value that cannot be read',
    });
  }
}
