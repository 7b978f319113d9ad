import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Collection } from '../store/collection.js';
import { hashOf, isHashOf, newSecret } from './secret-text.js';

/** One secret of a runner. */
export interface RunnerSecret {
  readonly id: string;
  /** SHA-256, hexadecimal. */
  readonly hash: string;
  readonly createdAt: number;
  /** Set where another takes its place. */
  readonly expiresAt?: number | undefined;
  /** The runner was given it because it came with one that is to end. */
  readonly renewed?: boolean | undefined;
}

/** What the store keeps of what a runner proves itself with. */
export interface RunnerAccessRecord {
  /** The enrollment token that it came with last. */
  readonly enrolledBy: string;
  readonly machine: string;
  readonly secrets: readonly RunnerSecret[];
  readonly revokedAt?: number | undefined;
}

/** A secret as it is handed out. */
export interface IssuedSecret {
  /** `<runner id>.<secret>`. */
  readonly text: string;
  readonly id: string;
}

/** What runners were given to prove themselves with. */
export interface RunnerSecrets {
  get(runnerId: string): RunnerAccessRecord | undefined;
  /** The secret that this is. Refuses with CREDENTIAL_INVALID or TOKEN_REVOKED. */
  verify(runnerId: string, secret: string): RunnerSecret;
  /** A runner has come with a token. */
  enrolled(
    runnerId: string,
    by: { readonly token: string; readonly machine: string; readonly durable: boolean },
  ): Promise<IssuedSecret | undefined>;
  /** Gives a runner another secret. Those before are taken for `overlapMs` more. Refuses with RUNNER_NOT_FOUND. */
  rotate(runnerId: string, overlapMs: number): Promise<IssuedSecret>;
  /** Gives a runner another secret that came with one that is to end. Those that last go on. */
  renew(runnerId: string): Promise<IssuedSecret>;
  /** Takes back all that a runner has. */
  revoke(runnerId: string): Promise<number>;
  /**
   * Removes what a runner proved itself with that was deleted; of one that was revoked, that stays known.
   * @returns whether there was something
   */
  forget(runnerId: string): Promise<boolean>;
}

/** A secret that was not the last one is taken this long, where nobody said how long. */
const OVERLAP_MS = 3_600_000;
/** Of a runner; the oldest go first. */
const MAX_SECRETS = 4;
const ID_LENGTH = 8;

/** Those that count, with an end to all that have none. */
function ending(secrets: readonly RunnerSecret[], until: number, now: number): RunnerSecret[] {
  return secrets
    .filter(({ expiresAt = Number.POSITIVE_INFINITY }) => expiresAt > now)
    .map((secret) => ({ ...secret, expiresAt: Math.min(secret.expiresAt ?? until, until) }));
}

export interface RunnerSecretsParts {
  readonly collection: Collection<RunnerAccessRecord>;
  readonly clock: Clock;
}

/** A new secret, as it is handed out and as it is kept. */
function issue(
  runnerId: string,
  now: number,
): { readonly issued: IssuedSecret; readonly kept: RunnerSecret } {
  const secret = newSecret('runner');
  const hash = hashOf(secret);
  const id = hash.slice(0, ID_LENGTH);
  return { issued: { text: `${runnerId}.${secret}`, id }, kept: { id, hash, createdAt: now } };
}

/** A secret in the place of all others, which are taken for a while. */
function after(secrets: readonly RunnerSecret[], kept: RunnerSecret, overlapMs: number): RunnerSecret[] {
  const now = kept.createdAt;
  return [...ending(secrets, now + overlapMs, now), kept].slice(-MAX_SECRETS);
}

/** The secret that this is. */
function verified(
  record: RunnerAccessRecord | undefined,
  { secret, now }: { readonly secret: string; readonly now: number },
): RunnerSecret {
  const found = (record?.secrets ?? []).find(({ hash }) => isHashOf(hash, secret));
  if (record?.revokedAt !== undefined && found !== undefined)
    throw new JobForgeError('TOKEN_REVOKED', {
      message: 'What this runner proves itself with was revoked.',
    });
  if (found === undefined || (found.expiresAt ?? Number.POSITIVE_INFINITY) <= now)
    throw new JobForgeError('CREDENTIAL_INVALID', {
      message: 'This runner secret is not, or no longer, one that is known here.',
    });
  return found;
}

export function createRunnerSecrets({ collection, clock }: RunnerSecretsParts): RunnerSecrets {
  return {
    get: collection.get,
    verify: (runnerId, secret) => verified(collection.get(runnerId), { secret, now: clock.now() }),
    async enrolled(runnerId, { token, machine, durable }) {
      const { issued, kept } = issue(runnerId, clock.now());
      await collection.change(runnerId, (current) => {
        if (current?.revokedAt !== undefined && current.enrolledBy === token)
          throw new JobForgeError('TOKEN_REVOKED', {
            message: `This runner was revoked: it cannot come back with the token "${token}".`,
          });
        const before = current?.revokedAt === undefined ? (current?.secrets ?? []) : [];
        const secrets = durable ? after(before, kept, OVERLAP_MS) : before;
        return { enrolledBy: token, machine, secrets };
      });
      return durable ? issued : undefined;
    },
    async rotate(runnerId, overlapMs) {
      const { issued, kept } = issue(runnerId, clock.now());
      await collection.change(runnerId, (current) => {
        if (current === undefined || current.revokedAt !== undefined)
          throw new JobForgeError('RUNNER_NOT_FOUND', {
            message: `The runner "${runnerId}" has no secret that could be replaced.`,
            remedy: 'Create an enrollment token and start the runner with it.',
          });
        return { ...current, secrets: after(current.secrets, kept, overlapMs) };
      });
      return issued;
    },
    async renew(runnerId) {
      const { issued, kept } = issue(runnerId, clock.now());
      await collection.change(runnerId, (current) => {
        if (current === undefined || current.revokedAt !== undefined)
          throw new JobForgeError('CREDENTIAL_INVALID');
        const others = current.secrets.filter(({ renewed }) => renewed !== true);
        return { ...current, secrets: [...others, { ...kept, renewed: true }].slice(-MAX_SECRETS) };
      });
      return issued;
    },
    async revoke(runnerId) {
      const now = clock.now();
      const record = await collection.change(runnerId, (current) => ({
        ...(current ?? { enrolledBy: '', machine: '', secrets: [] }),
        revokedAt: current?.revokedAt ?? now,
      }));
      return record.revokedAt ?? now;
    },
    async forget(runnerId) {
      const record = collection.get(runnerId);
      if (record === undefined || (record.revokedAt !== undefined && record.secrets.length === 0))
        return false;
      if (record.revokedAt === undefined) await collection.remove(runnerId);
      else await collection.change(runnerId, (current) => ({ ...(current ?? record), secrets: [] }));
      return true;
    },
  };
}
