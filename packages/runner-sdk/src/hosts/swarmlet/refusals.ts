import type { ErrorCode } from '@controlplane/contracts';
import { SWARMLET_CLOSE } from '@controlplane/contracts/swarmlet';
import { notReached, refused, type Refusal } from '../refusals.js';

const NEW_SECRET = 'Give the runner its current secret (RUNNER_SECRET), or enroll it again.';

/** By what the control plane says when it closes with 1008, from the first that fits. */
const REASONS: ReadonlyArray<readonly [RegExp, ErrorCode, string]> = [
  [/revoked/i, 'TOKEN_REVOKED', 'Enroll this machine again under another name.'],
  [/missing secret/i, 'CREDENTIAL_MISSING', NEW_SECRET],
  [/missing runner_id|not found|unknown runner/i, 'RUNNER_MISMATCH', 'Check RUNNER_ID or RUNNER_NAME.'],
  [
    /hello/i,
    'CONTRACT_MISMATCH',
    'The control plane speaks another version of this protocol: update one of the two.',
  ],
];

/** Why a connection ended; for good where the control plane did not take what the runner said of itself. */
export function refusalOfClose(code: number, reason: string): Refusal {
  const said = reason || 'the connection was closed';
  if (code !== SWARMLET_CLOSE.policy) return notReached('UNREACHABLE', `${said} (${code})`);
  const known = REASONS.find(([pattern]) => pattern.test(reason));
  return known ? refused(known[1], said, known[2]) : refused('CREDENTIAL_INVALID', said, NEW_SECRET);
}

const NEW_TOKEN = 'Make another enrollment token: each is good for one use within ten minutes.';

/** Request timeout, too early, too many requests. */
const COME_AGAIN: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * What an enrollment was answered with: 4xx is for good, but for those that say to come again.
 * @param detail - what the answer says
 */
export function refusalOfEnrollment(status: number, detail: string): Refusal {
  const message = `the enrollment was answered ${status}: ${detail}`;
  if (status === 400 || status === 401 || status === 403)
    return refused('CREDENTIAL_INVALID', message, NEW_TOKEN);
  if (status === 409)
    return refused(
      'TOKEN_REVOKED',
      message,
      'Enroll under another name, or delete the runner of this name first.',
    );
  if (status >= 400 && status < 500 && !COME_AGAIN.has(status))
    return refused(
      'CONTRACT_MISMATCH',
      message,
      'Check the URL and the name of the runner; else the control plane speaks another version of this protocol: update one of the two.',
    );
  return notReached('UNREADABLE', message);
}
