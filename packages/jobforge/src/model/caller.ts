import type { AccessRole } from '@controlplane/contracts';
import { matchesGlob } from './name-glob.js';

/** Whoever has proved itself with an API token. */
export interface ApiCaller {
  readonly kind: 'api';
  /** Of the token. */
  readonly name: string;
  readonly role: AccessRole;
  /** Globs of capability ids; undefined for all. */
  readonly capabilities?: readonly string[] | undefined;
  /** Globs of runner names; undefined for all. */
  readonly runners?: readonly string[] | undefined;
  readonly expiresAt?: number | undefined;
}

/** A runner that has proved itself with its secret, or with a session credential. */
export interface RunnerCaller {
  readonly kind: 'runner';
  readonly runnerId: string;
  /** The token whose end is the end of what this runner proves itself with; undefined where it has a secret. */
  readonly token?: string | undefined;
  /** Which of its secrets; undefined where it has none. */
  readonly secretId?: string | undefined;
  readonly expiresAt?: number | undefined;
}

/** Whoever has an enrollment token that is still good. */
export interface EnrollmentCaller {
  readonly kind: 'enrollment';
  readonly token: string;
  readonly expiresAt: number;
}

/** Who asks. `anyone` where JobForge asks nobody for a credential. */
export type Caller = { readonly kind: 'anyone' } | ApiCaller | RunnerCaller | EnrollmentCaller;

const ROLES: readonly AccessRole[] = ['read', 'submit', 'admin'];

/** Whether a role includes another: admin ⊃ submit ⊃ read. */
export function allows(role: AccessRole, wanted: AccessRole): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(wanted);
}

/** Whether a name is in a scope; everything is where there is none. */
export function inScope(scope: readonly string[] | undefined, name: string): boolean {
  return scope === undefined || scope.some((pattern) => matchesGlob(name, pattern));
}

/** Who is named where the program around JobForge asked. */
export const LIBRARY = 'library';

/** Who asked, as the audit trail and the log name it. */
export function actorOf(caller: Caller): string {
  switch (caller.kind) {
    case 'anyone':
      return 'anyone';
    case 'api':
      return `token:${caller.name}`;
    case 'runner':
      return `runner:${caller.runnerId}`;
    case 'enrollment':
      return `token:${caller.token}`;
  }
}

/** Says who asks. */
export interface Gate {
  /** Refuses with CREDENTIAL_MISSING, CREDENTIAL_INVALID, TOKEN_EXPIRED, TOKEN_REVOKED, SESSION_EXPIRED or AUTH_RATE_LIMITED. */
  identify(credential: string | undefined, address: string): Caller | Promise<Caller>;
}

/** Lets everybody in. */
export const OPEN_GATE: Gate = { identify: () => ({ kind: 'anyone' }) };

/**
 * What a runner asks about: itself, one of its executions, or itself under a name of its own, as which it may beat
 * where it is known by its secret.
 */
export type RunnerTarget =
  | { readonly runnerId: string }
  | { readonly executionId: string }
  | { readonly beatOf: string };
