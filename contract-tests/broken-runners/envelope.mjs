/** Statuses of the catalogue that this runner answers with. */
const STATUS = {
  VALIDATION_ERROR: 400,
  INVALID_JSON: 400,
  SIGNATURE_INVALID: 401,
  ROUTE_NOT_FOUND: 404,
  CAPABILITY_NOT_FOUND: 404,
  EXECUTION_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  EXECUTION_CANCELLED: 409,
  LEASE_SUPERSEDED: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  RUNNER_BUSY: 429,
  RUNNER_DRAINING: 503,
  EXECUTION_TIMEOUT: 504,
};

const CATEGORY = {
  VALIDATION_ERROR: 'VALIDATION_ERROR',
  INVALID_JSON: 'VALIDATION_ERROR',
  METHOD_NOT_ALLOWED: 'VALIDATION_ERROR',
  PAYLOAD_TOO_LARGE: 'VALIDATION_ERROR',
  UNSUPPORTED_MEDIA_TYPE: 'VALIDATION_ERROR',
  SIGNATURE_INVALID: 'AUTHENTICATION_ERROR',
  LEASE_SUPERSEDED: 'RESOURCE_CONFLICT',
  ROUTE_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  CAPABILITY_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  EXECUTION_NOT_FOUND: 'RESOURCE_NOT_FOUND',
  EXECUTION_CANCELLED: 'RUNNER_ERROR',
  RUNNER_BUSY: 'RATE_LIMITED',
  RUNNER_DRAINING: 'SERVICE_UNAVAILABLE',
  EXECUTION_TIMEOUT: 'TIMEOUT',
};

const RETRYABLE = new Set(['RUNNER_BUSY', 'RUNNER_DRAINING', 'EXECUTION_TIMEOUT']);

/** An ErrorEnvelope, written by hand from the contract. */
export function envelope(code, message, extra = {}) {
  return {
    id: crypto.randomUUID(),
    timestamp: new Date().toISOString(),
    category: CATEGORY[code] ?? 'RUNTIME_ERROR',
    severity: 'error',
    code,
    message,
    details: [],
    service: 'broken-runner',
    retryable: RETRYABLE.has(code),
    contractVersion: { major: 1, minor: 0, patch: 0 },
    ...extra,
  };
}

export const statusOf = (code) => STATUS[code] ?? 500;
