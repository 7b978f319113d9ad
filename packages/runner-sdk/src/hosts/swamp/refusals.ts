import type { ErrorCode } from '@controlplane/contracts';
import { notReached, refused, type Refusal } from '../refusals.js';

const MINT = 'Make another token by `swamp worker token create`.';

/** By the code of later versions, or by the text of earlier ones, which have one code for all. */
const PERMANENT: ReadonlyArray<readonly [RegExp, RegExp, ErrorCode, string]> = [
  [
    /^protocol_mismatch$/,
    /protocol version/i,
    'CONTRACT_MISMATCH',
    'Update the control plane, or this runner.',
  ],
  [/^token_revoked$/, /revoked/i, 'TOKEN_REVOKED', MINT],
  [/^token_expired$/, /expired/i, 'TOKEN_EXPIRED', MINT],
  [
    /^enrollment_allowance_exhausted$/,
    /allowance exhausted|already bound/i,
    'MACHINE_MISMATCH',
    'The token is bound to another machine: make one for this one, or name the folder with its machine-id by SWAMP_WORKER_CACHE_DIR.',
  ],
  [
    /^(invalid_token|token_mismatch|token_not_found)$/,
    /does not match|does not exist/i,
    'CREDENTIAL_INVALID',
    MINT,
  ],
  // A text of the schema library, as it came: the parameters were not what that version takes.
  [/^$/, /^\s*\[/, 'CONTRACT_MISMATCH', 'Update the control plane, or this runner.'],
];

/** A name may hold any of the words that are looked for. */
const withoutNames = (message: string): string => message.replaceAll(/'[^']*'|"[^"]*"(?=\s)/g, '');

/** Why an enrollment was not taken: for good, or to be tried again. */
export function refusalOfEnrollment(code: string, message: string): Refusal {
  const text = withoutNames(message);
  const known = PERMANENT.find(
    ([codes, texts]) => codes.test(code) || (code === 'handler_failed' && texts.test(text)),
  );
  // The session of an earlier process of this machine is given up after a while, so that this one may come.
  return known ? refused(known[2], message, known[3]) : notReached('UNREACHABLE', `${code}: ${message}`);
}

/** Why there was no connection. */
export function refusalOfUpgrade(status: number, body: string, retryAfter: string | undefined): Refusal {
  if (status === 401 || status === 403)
    return refused(
      'CREDENTIAL_INVALID',
      `the connection was answered ${status}: ${body.slice(0, 200)}`,
      'Give the token that the control plane asks connections for by SWAMP_SERVER_TOKEN.',
    );
  const seconds = Number(retryAfter);
  return {
    ...notReached('UNREADABLE', `the connection was answered ${status}`),
    retryAfterMs: Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : undefined,
  };
}
