import type { AccessRole, TokenState } from '@controlplane/contracts';

interface AnyToken {
  readonly name: string;
  /** SHA-256 of the secret, hexadecimal. */
  readonly hash: string;
  readonly createdAt: number;
  readonly expiresAt?: number | undefined;
  readonly revokedAt?: number | undefined;
}

export interface ApiTokenRecord extends AnyToken {
  readonly kind: 'api';
  readonly role: AccessRole;
  readonly capabilities?: readonly string[] | undefined;
  readonly runners?: readonly string[] | undefined;
}

/** A machine that came with a token, and what it is known by. */
export interface MachineBinding {
  readonly machine: string;
  readonly enrolledAt: number;
}

export interface EnrollmentTokenRecord extends AnyToken {
  readonly kind: 'enrollment';
  readonly expiresAt: number;
  /** Null for any number. */
  readonly maxMachines: number | null;
  readonly durable: boolean;
  readonly machines: readonly MachineBinding[];
}

/** What the store keeps of a token. */
export type TokenRecord = ApiTokenRecord | EnrollmentTokenRecord;

/**
 * Where a token stands. `revoked` and `expired` are for good; one that has expired can still be revoked, for the
 * sake of those who came with it. An enrollment token is `unused` until its first machine has `enrolled`.
 */
export function tokenState(token: TokenRecord, now: number): TokenState {
  const { expiresAt = Number.POSITIVE_INFINITY, revokedAt = Number.POSITIVE_INFINITY } = token;
  if (revokedAt <= now) return 'revoked';
  if (expiresAt <= now) return 'expired';
  if (token.kind === 'api') return 'active';
  return token.machines.length === 0 ? 'unused' : 'enrolled';
}

/** Why a machine may not enroll with a token, or the token as it is once it has. */
export type Redemption =
  | { readonly refused: 'TOKEN_REVOKED' | 'TOKEN_EXPIRED' | 'MACHINE_MISMATCH' }
  | { readonly token: EnrollmentTokenRecord };

/** A machine comes with a token: the first time, which uses one of its places, or again. */
export function redeem(
  token: EnrollmentTokenRecord,
  { machine, now }: { readonly machine: string; readonly now: number },
): Redemption {
  const state = tokenState(token, now);
  if (state === 'revoked') return { refused: 'TOKEN_REVOKED' };
  if (state === 'expired') return { refused: 'TOKEN_EXPIRED' };
  if (token.machines.some((bound) => bound.machine === machine)) return { token };
  if (token.maxMachines !== null && token.machines.length >= token.maxMachines)
    return { refused: 'MACHINE_MISMATCH' };
  return { token: { ...token, machines: [...token.machines, { machine, enrolledAt: now }] } };
}

/** Takes a token back; a second time changes nothing. */
export function revoked<Token extends TokenRecord>(token: Token, now: number): Token {
  return token.revokedAt === undefined ? { ...token, revokedAt: now } : token;
}
