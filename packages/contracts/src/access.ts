import { z } from 'zod';
import { Identifier, Timestamp } from './identifiers.js';

/** What an API token allows: admin ⊃ submit ⊃ read. */
export const AccessRole = z.enum(['read', 'submit', 'admin']);
export type AccessRole = z.infer<typeof AccessRole>;

/** Name of a token: what stands before the dot in it. */
export const TokenName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
    'expected 1–64 characters of A-Z a-z 0-9 _ -, the first no _ or -',
  );
export type TokenName = z.infer<typeof TokenName>;

/** Ten years: whatever lives longer is better replaced. */
const MAX_LIFETIME_MS = 315_360_000_000;
const LifetimeMs = z.number().int().positive().max(MAX_LIFETIME_MS);

/** Capability ids or runner names, `*` standing for any characters and `?` for one. */
const Patterns = z.array(z.string().min(1).max(256)).min(1).max(100);

/** Asks for a token for programs and people. */
export const ApiTokenCreation = z.object({
  kind: z.literal('api'),
  name: TokenName,
  role: AccessRole,
  /** Default: it does not expire. */
  lifetimeMs: LifetimeMs.optional(),
  /** Only jobs of these capabilities. Default: all. */
  capabilities: Patterns.optional(),
  /** Only these runners, by name. Default: all. */
  runners: Patterns.optional(),
});

/** Asks for a token that takes runners in. */
export const EnrollmentTokenCreation = z.object({
  kind: z.literal('enrollment'),
  name: TokenName,
  /** Default: one hour. */
  lifetimeMs: LifetimeMs.default(3_600_000),
  /** Machines that may enroll with it; `null` for any number. Default: 1. */
  maxMachines: z.number().int().positive().max(1_000_000).nullable().default(1),
  /**
   * Whether its runners are given a secret, with which they may stay and come back when it has expired. Without one
   * they are gone with it. Default: true.
   */
  durable: z.boolean().default(true),
});

/** Body of `POST /tokens`. */
export const TokenCreation = z.discriminatedUnion('kind', [ApiTokenCreation, EnrollmentTokenCreation]);
export type TokenCreation = z.infer<typeof TokenCreation>;

/** An API token is `active` until it is over; an enrollment token is `unused` until a machine has `enrolled`. */
export const TokenState = z.enum(['active', 'unused', 'enrolled', 'expired', 'revoked']);
export type TokenState = z.infer<typeof TokenState>;

/** A machine that came with an enrollment token. */
export const EnrolledMachine = z.object({
  /** Its `machineId`, or what stands in for one. */
  machine: z.string(),
  enrolledAt: Timestamp,
});
export type EnrolledMachine = z.infer<typeof EnrolledMachine>;

/** A token as it is shown: never with its secret. */
export const AccessToken = z.object({
  name: TokenName,
  kind: z.enum(['api', 'enrollment']),
  state: TokenState,
  createdAt: Timestamp,
  expiresAt: Timestamp.optional(),
  revokedAt: Timestamp.optional(),
  /** Of an API token. */
  role: AccessRole.optional(),
  capabilities: z.array(z.string()).optional(),
  runners: z.array(z.string()).optional(),
  /** Of an enrollment token; `null` for any number. */
  maxMachines: z.number().int().positive().nullable().optional(),
  durable: z.boolean().optional(),
  machines: z.array(EnrolledMachine).optional(),
});
export type AccessToken = z.infer<typeof AccessToken>;

/** A token that was just made. */
export const CreatedToken = AccessToken.extend({
  /** Shown this once. */
  token: z.string(),
});
export type CreatedToken = z.infer<typeof CreatedToken>;

/** Body of `POST /runners/:id/rotate-secret`. */
export const SecretRotation = z.object({
  /** How long the secret before is still taken, in ms. Default: one hour. */
  overlapMs: z.number().int().nonnegative().max(2_592_000_000).default(3_600_000),
});
export type SecretRotation = z.infer<typeof SecretRotation>;

export const RotatedSecret = z.object({
  runnerId: Identifier,
  /** Shown this once. A runner of the SDK that is connected gets one of its own by itself. */
  runnerSecret: z.string(),
  /** Until when the one before is taken. */
  previousUntil: Timestamp,
});
export type RotatedSecret = z.infer<typeof RotatedSecret>;

/** What a runner that was revoked came to. */
export const RevokedRunner = z.object({
  runnerId: Identifier,
  revoked: z.literal(true),
  revokedAt: Timestamp,
});
export type RevokedRunner = z.infer<typeof RevokedRunner>;

/** Whose credential a request carries. */
export const Identity = z.object({
  /** `anyone` where the control plane asks nobody for a credential. */
  kind: z.enum(['anyone', 'api', 'runner', 'enrollment']),
  /** Of the token. */
  name: z.string().optional(),
  role: AccessRole.optional(),
  runnerId: Identifier.optional(),
  capabilities: z.array(z.string()).optional(),
  runners: z.array(z.string()).optional(),
  expiresAt: Timestamp.optional(),
});
export type Identity = z.infer<typeof Identity>;
