import type { AccessToken, CreatedToken, TokenCreation } from '@controlplane/contracts';
import type { ApiCaller, EnrollmentCaller } from '../model/caller.js';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import {
  redeem,
  revoked,
  tokenState,
  type EnrollmentTokenRecord,
  type TokenRecord,
} from '../model/token-state.js';
import type { Collection } from '../store/collection.js';
import { hashOf, isHashOf, newSecret } from './secret-text.js';

/** Tokens that were handed out to programs, to people and to machines that are to run something. */
export interface Tokens {
  create(request: TokenCreation): Promise<CreatedToken>;
  list(): AccessToken[];
  /** Refuses with TOKEN_NOT_FOUND. */
  revoke(name: string): Promise<AccessToken>;
  get(name: string): TokenRecord | undefined;
  /** Refuses with CREDENTIAL_INVALID, TOKEN_EXPIRED or TOKEN_REVOKED. */
  verifyApi(name: string, secret: string): ApiCaller;
  verifyEnrollment(name: string, secret: string): EnrollmentCaller;
  /** Uses a place of an enrollment token. Refuses with MACHINE_MISMATCH, TOKEN_EXPIRED or TOKEN_REVOKED. */
  enroll(name: string, machine: string): Promise<EnrollmentTokenRecord>;
}

/** Tokens that one store may have. */
const MAX_TOKENS = 10_000;

/** Of no secret: what a name that nobody has is compared with, so that it takes as long. */
const NO_HASH = hashOf('');

const iso = (time: number): string => new Date(time).toISOString();

/** A token as it may be shown. */
function shown(token: TokenRecord, now: number): AccessToken {
  const { name, kind, createdAt, expiresAt, revokedAt } = token;
  const own =
    token.kind === 'api'
      ? {
          role: token.role,
          ...(token.capabilities && { capabilities: [...token.capabilities] }),
          ...(token.runners && { runners: [...token.runners] }),
        }
      : {
          maxMachines: token.maxMachines,
          durable: token.durable,
          machines: token.machines.map(({ machine, enrolledAt }) => ({
            machine,
            enrolledAt: iso(enrolledAt),
          })),
        };
  return {
    name,
    kind,
    state: tokenState(token, now),
    createdAt: iso(createdAt),
    ...(expiresAt !== undefined && { expiresAt: iso(expiresAt) }),
    ...(revokedAt !== undefined && { revokedAt: iso(revokedAt) }),
    ...own,
  };
}

/** What the store keeps of a token that is asked for. */
function recordOf(request: TokenCreation, hash: string, createdAt: number): TokenRecord {
  const { name } = request;
  if (request.kind === 'enrollment') {
    const { kind, lifetimeMs, maxMachines, durable } = request;
    const expiresAt = createdAt + lifetimeMs;
    return { kind, name, hash, createdAt, expiresAt, maxMachines, durable, machines: [] };
  }
  const { kind, role, lifetimeMs, capabilities, runners } = request;
  if (role === 'admin' && (capabilities ?? runners) !== undefined)
    throw new JobForgeError('VALIDATION_ERROR', {
      message: 'A token with the role admin has no scope: it could make itself one without.',
      remedy: 'Leave the scope out, or choose the role submit or read.',
    });
  return {
    ...{ kind, name, hash, createdAt, role, capabilities, runners },
    expiresAt: lifetimeMs === undefined ? undefined : createdAt + lifetimeMs,
  };
}

function refusal(code: 'TOKEN_EXPIRED' | 'TOKEN_REVOKED', { name, expiresAt }: TokenRecord): JobForgeError {
  const what =
    code === 'TOKEN_REVOKED' ? 'was revoked' : `expired at ${expiresAt === undefined ? '?' : iso(expiresAt)}`;
  return new JobForgeError(code, { message: `The token "${name}" ${what}.` });
}

function mismatch({ name, machines, maxMachines }: EnrollmentTokenRecord): JobForgeError {
  const bound =
    maxMachines === 1
      ? 'is bound to another machine'
      : `has been used by ${machines.length} machines, as many as it allows`;
  return new JobForgeError('MACHINE_MISMATCH', { message: `The token "${name}" ${bound}.` });
}

function notFound(name: string): JobForgeError {
  return new JobForgeError('TOKEN_NOT_FOUND', { message: `There is no token "${name}".` });
}

/** Says of a token that does not exist what it says of one whose secret is wrong. */
function invalid(): JobForgeError {
  return new JobForgeError('CREDENTIAL_INVALID');
}

export interface TokensParts {
  readonly collection: Collection<TokenRecord>;
  readonly clock: Clock;
}

/** The token that a secret belongs to, while it is good. */
function verified<Kind extends TokenRecord['kind']>(
  { collection, clock }: TokensParts,
  { kind, name, secret }: { readonly kind: Kind; readonly name: string; readonly secret: string },
): Extract<TokenRecord, { kind: Kind }> {
  const token = collection.get(name);
  if (!isHashOf(token?.hash ?? NO_HASH, secret) || token?.kind !== kind) throw invalid();
  const state = tokenState(token, clock.now());
  if (state === 'expired') throw refusal('TOKEN_EXPIRED', token);
  if (state === 'revoked') throw refusal('TOKEN_REVOKED', token);
  return token as Extract<TokenRecord, { kind: Kind }>;
}

export function createTokens(parts: TokensParts): Tokens {
  const { collection, clock } = parts;
  return {
    async create(request) {
      const secret = newSecret(request.kind);
      const record = recordOf(request, hashOf(secret), clock.now());
      if (collection.size >= MAX_TOKENS)
        throw new JobForgeError('VALIDATION_ERROR', {
          message: `There are ${MAX_TOKENS} tokens already.`,
          remedy: 'Let one enrollment token take in many machines.',
        });
      await collection.change(request.name, (current) => {
        if (current === undefined) return record;
        throw new JobForgeError('TOKEN_CONFLICT', {
          message: `There is a token "${request.name}" already.`,
        });
      });
      return { ...shown(record, clock.now()), token: `${request.name}.${secret}` };
    },
    list: () => [...collection.entries()].map(([, token]) => shown(token, clock.now())),
    async revoke(name) {
      const token = await collection.change(name, (current) => {
        if (current === undefined) throw notFound(name);
        return revoked(current, clock.now());
      });
      return shown(token, clock.now());
    },
    get: collection.get,
    verifyApi(name, secret) {
      const { role, capabilities, runners, expiresAt } = verified(parts, { kind: 'api', name, secret });
      return { kind: 'api', name, role, capabilities, runners, expiresAt };
    },
    verifyEnrollment(name, secret) {
      const { expiresAt } = verified(parts, { kind: 'enrollment', name, secret });
      return { kind: 'enrollment', token: name, expiresAt };
    },
    async enroll(name, machine) {
      const token = await collection.change(name, (current) => {
        if (current?.kind !== 'enrollment') throw invalid();
        const redemption = redeem(current, { machine, now: clock.now() });
        if (!('refused' in redemption)) return redemption.token;
        if (redemption.refused === 'MACHINE_MISMATCH') throw mismatch(current);
        throw refusal(redemption.refused, current);
      });
      return token as EnrollmentTokenRecord;
    },
  };
}
