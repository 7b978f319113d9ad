import { DEFAULTS, ERROR_CODES, isErrorCode } from '@controlplane/contracts';
import { needsRegistration, type Refusal } from '../refusals.js';

/** How long it is waited before a file is sent or asked for once more. */
export const FILE_BACKOFF = { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs };

/** Whether the same request may be answered otherwise in a while. */
export function mayHelp(refusal: Refusal): boolean {
  return !isErrorCode(refusal.code) || ERROR_CODES[refusal.code].retryable || needsRegistration(refusal);
}
