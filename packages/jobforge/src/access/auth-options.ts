import { DEFAULTS } from '@controlplane/contracts';
import { unknownNames } from '../model/near-name.js';
import { OPEN_ACCESS, type AccessSettings } from './access.js';

/** Whom JobForge asks for a credential: everybody, but for health and readiness. */
export interface AuthOptions {
  /**
   * Counts as an API token with the role admin; at least 32 characters. Default: none, so that the first token is made
   * by `operations.createToken`.
   */
  readonly adminToken?: string;
  /** How long a runner's session credential lasts, in ms. Default: 15 minutes. */
  readonly sessionMs?: number;
  /** Credentials of one name that may be refused to one address in a minute before none is looked at. Default: 10. */
  readonly maxFailuresPerMinute?: number;
}

const NAMES: readonly (keyof AuthOptions)[] = ['adminToken', 'sessionMs', 'maxFailuresPerMinute'];
const MIN_TOKEN_LENGTH = 32;
const MIN_SESSION_MS = 1_000;

function checkToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  if (typeof token === 'string' && token.length >= MIN_TOKEN_LENGTH && /^[\w.~+/=-]+$/.test(token))
    return token;
  // What was given is not repeated: it is meant to be secret.
  throw new TypeError(
    `auth.adminToken is too short or has characters that no header can carry: expected at least ${MIN_TOKEN_LENGTH} of A-Z a-z 0-9 . _ ~ + / = -, such as \`node -p "crypto.randomBytes(32).toString('hex')"\` prints`,
  );
}

function atLeast(
  name: keyof AuthOptions,
  value: number,
  { min, max }: { readonly min: number; readonly max: number },
): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new TypeError(`auth.${name} ${JSON.stringify(value)} is no whole number from ${min} to ${max}`);
}

/**
 * Fills in the defaults.
 * @throws TypeError when an option is not known or cannot be understood
 */
export function authOf(given: AuthOptions | false): AccessSettings {
  if (given === false) return OPEN_ACCESS;
  const unknown = unknownNames(given, NAMES);
  if (unknown !== undefined) throw new TypeError(`auth does not know ${unknown}`);
  const { sessionMs = DEFAULTS.sessionMs, maxFailuresPerMinute = OPEN_ACCESS.maxFailuresPerMinute } = given;
  const dayMs = 86_400_000;
  return {
    required: true,
    adminToken: checkToken(given.adminToken),
    sessionMs: atLeast('sessionMs', sessionMs, { min: MIN_SESSION_MS, max: dayMs }),
    maxFailuresPerMinute: atLeast('maxFailuresPerMinute', maxFailuresPerMinute, { min: 1, max: 1_000_000 }),
  };
}
