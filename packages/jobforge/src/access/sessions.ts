import { randomBytes } from 'node:crypto';
import type { SessionCredential } from '@controlplane/contracts';
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Collection } from '../store/collection.js';

/** What the store keeps: the key that session credentials are signed with. */
export interface SessionKeyRecord {
  /** 32 bytes in base64url. */
  readonly key: string;
  readonly createdAt: number;
}

/** What a session rests on: it is over when that is. */
export interface SessionGrounds {
  readonly runnerId: string;
  readonly token?: string | undefined;
  readonly secretId?: string | undefined;
}

/** What a session credential says. */
export interface SessionClaims extends SessionGrounds {
  /** Milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Short-lived credentials of runners that have registered. */
export interface Sessions {
  /** Loads the key, or makes one. */
  start(): Promise<void>;
  issue(grounds: SessionGrounds, until?: number): Promise<SessionCredential>;
  /** At once for one that was seen lately. Refuses with SESSION_EXPIRED or CREDENTIAL_INVALID. */
  verify(token: string): SessionClaims | Promise<SessionClaims>;
}

const KEY_ID = 'session';
const KEY_BYTES = 32;
const ISSUER = 'jobforge';
/** Credentials that were found good and are not checked again. */
const MAX_VERIFIED = 20_000;

function expired(): JobForgeError {
  return new JobForgeError('SESSION_EXPIRED');
}

function claimsOf(payload: Readonly<Record<string, unknown>>): SessionClaims {
  const { sub, exp, tok, sid } = payload;
  if (typeof sub !== 'string' || typeof exp !== 'number') throw new JobForgeError('CREDENTIAL_INVALID');
  return {
    runnerId: sub,
    expiresAt: exp * 1000,
    token: typeof tok === 'string' ? tok : undefined,
    secretId: typeof sid === 'string' ? sid : undefined,
  };
}

export interface SessionsParts {
  readonly collection: Collection<SessionKeyRecord>;
  readonly clock: Clock;
  readonly sessionMs: number;
}

/** Checks a credential's signature and time. */
async function check(token: string, key: Uint8Array, now: number): Promise<SessionClaims> {
  try {
    const { payload } = await jwtVerify(token, key, {
      algorithms: ['HS256'],
      issuer: ISSUER,
      currentDate: new Date(now),
    });
    return claimsOf(payload);
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw expired();
    if (error instanceof errors.JOSEError) throw new JobForgeError('CREDENTIAL_INVALID');
    throw error;
  }
}

export function createSessions({ collection, clock, sessionMs }: SessionsParts): Sessions {
  const verified = new Map<string, SessionClaims>();

  const key = (): Uint8Array => {
    const record = collection.get(KEY_ID);
    if (record === undefined) throw new JobForgeError('INTERNAL_ERROR');
    return Buffer.from(record.key, 'base64url');
  };
  const remember = (token: string, claims: SessionClaims): SessionClaims => {
    const [oldest] = verified.keys();
    if (verified.size >= MAX_VERIFIED && oldest !== undefined) verified.delete(oldest);
    verified.set(token, claims);
    return claims;
  };
  return {
    async start() {
      if (collection.get(KEY_ID) !== undefined) return;
      const made = { key: randomBytes(KEY_BYTES).toString('base64url'), createdAt: clock.now() };
      // Of two that start at once on one store, the second takes the key of the first.
      await collection.change(KEY_ID, (current) => current ?? made);
    },
    async issue({ runnerId, token, secretId }, until = Number.POSITIVE_INFINITY) {
      const issuedAt = Math.floor(clock.now() / 1000);
      const expiresAt = Math.floor(Math.min(clock.now() + sessionMs, until) / 1000);
      const claims = { ...(token && { tok: token }), ...(secretId && { sid: secretId }) };
      const signed = await new SignJWT(claims)
        .setProtectedHeader({ alg: 'HS256' })
        .setIssuer(ISSUER)
        .setSubject(runnerId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(expiresAt)
        .sign(key());
      return { token: signed, expiresAt: new Date(expiresAt * 1000).toISOString() };
    },
    verify(token) {
      const known = verified.get(token);
      if (known === undefined)
        return check(token, key(), clock.now()).then((claims) => remember(token, claims));
      if (known.expiresAt > clock.now()) return known;
      verified.delete(token);
      throw expired();
    },
  };
}
