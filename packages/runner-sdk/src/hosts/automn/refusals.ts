import type { AutomnRefused } from '@controlplane/contracts/automn';
import { notReached, refused, type Refusal } from '../refusals.js';

/** Request timeout, too early, too many requests. */
const COME_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What a registration was answered with, when it was not taken.
 * @param said - the body, where it is one of theirs
 */
export function refusalOfRegistration(status: number, said: AutomnRefused | undefined): Refusal {
  const message = `the registration was answered ${status}: ${said?.error ?? 'no error of Automn'}`;
  if (status === 401)
    return refused(
      'CREDENTIAL_INVALID',
      message,
      'Give the runner its current secret (AUTOMN_RUNNER_SECRET), or rotate it in Settings → Runners.',
    );
  // Whoever disabled it may enable it again.
  if (status === 403 || COME_AGAIN.has(status) || status >= 500) return notReached('UNREADABLE', message);
  if (status === 404 && said !== undefined)
    return refused(
      'RUNNER_MISMATCH',
      message,
      'Check AUTOMN_RUNNER_ID, or create the runner in Settings → Runners.',
    );
  if (status === 400 && said !== undefined)
    return refused(
      'VALIDATION_ERROR',
      message,
      'Check AUTOMN_RUNNER_PUBLIC_URL or AUTOMN_RUNNER_ENDPOINT_URL.',
    );
  if (status >= 400)
    return refused(
      'CONTRACT_MISMATCH',
      message,
      'Check AUTOMN_HOST_URL; else the control plane speaks another version of this protocol: update one of the two.',
    );
  return notReached('UNREADABLE', message);
}

/** Whether a version is not older than another; what is no version counts as new enough. */
export function isAtLeast(version: string | undefined, minimum: string | undefined): boolean {
  const [have, need] = [numbersOf(version), numbersOf(minimum)];
  if (!have || !need) return true;
  for (const [index, part] of need.entries()) {
    const own = have[index] ?? 0;
    if (own !== part) return own > part;
  }
  return true;
}

function numbersOf(version: string | undefined): number[] | undefined {
  const [, numbers] = /^v?(\d+(?:\.\d+)*)/.exec(version?.trim() ?? '') ?? [];
  return numbers?.split('.').map(Number);
}
