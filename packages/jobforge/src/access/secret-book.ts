import type { SecretEntry, SecretValues, SetSecretRequest } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Collection } from '../store/collection.js';
import type { Audit } from './audit.js';
import type { SecretVault } from './secret-vault.js';

/** A secret as the store keeps it. */
export interface SecretRecord {
  /** What the vault made of the value. */
  readonly sealed: string;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What an execution is given, and the names of what is not there. */
export interface Resolved {
  readonly values: SecretValues;
  readonly missing: readonly string[];
}

/** The secrets of a control plane, one of a name for all capabilities or for a certain one. */
export interface SecretBook {
  list(): SecretEntry[];
  /** Refuses with SECRETS_LOCKED. */
  set(name: string, request: SetSecretRequest, actor: string): Promise<SecretEntry>;
  /** Refuses with SECRET_NOT_FOUND. */
  delete(name: string, capability: string | undefined, actor: string): Promise<void>;
  /** Whether all of the names are set for a capability; those that are not. */
  missing(names: readonly string[], capability: string): string[];
  /** Decrypts what an execution of a capability is given. */
  resolve(names: readonly string[], capability: string): Resolved;
  /** Reads everything anew. */
  reload(): Promise<void>;
}

export interface SecretBookParts {
  readonly collection: Collection<SecretRecord>;
  /** Undefined where there is no key. */
  readonly vault: SecretVault | undefined;
  readonly clock: Clock;
  readonly audit: Audit;
}

/** No name holds an at sign. */
const placeOf = (name: string, capability: string | undefined): string =>
  capability === undefined ? name : `${name}@${capability}`;

function toEntry(place: string, { createdAt, updatedAt }: SecretRecord): SecretEntry {
  const [name = '', ...capability] = place.split('@');
  return {
    name,
    ...(capability.length > 0 && { capability: capability.join('@') }),
    createdAt: new Date(createdAt).toISOString(),
    updatedAt: new Date(updatedAt).toISOString(),
  };
}

const detailOf = (capability: string | undefined): { detail?: { capability: string } } =>
  capability === undefined ? {} : { detail: { capability } };

export function createSecretBook({ collection, vault, clock, audit }: SecretBookParts): SecretBook {
  const placeFor = (name: string, capability: string): string | undefined =>
    [placeOf(name, capability), name].find((place) => collection.get(place) !== undefined);

  const valueOf = (name: string, capability: string): string | undefined => {
    const place = placeFor(name, capability);
    const record = place === undefined ? undefined : collection.get(place);
    return place === undefined || record === undefined ? undefined : vault?.open(place, record.sealed);
  };

  return {
    list: () =>
      [...collection.entries()]
        .map(([place, record]) => toEntry(place, record))
        .sort((left, right) =>
          `${left.name}@${left.capability ?? ''}` < `${right.name}@${right.capability ?? ''}` ? -1 : 1,
        ),
    async set(name, { value, capability }, actor) {
      if (vault === undefined) throw new JobForgeError('SECRETS_LOCKED');
      const place = placeOf(name, capability);
      const now = clock.now();
      const sealed = vault.seal(place, value);
      const record = await collection.change(place, (current) => ({
        sealed,
        createdAt: current?.createdAt ?? now,
        updatedAt: now,
      }));
      audit({ actor, action: 'secret.set', subject: `secret:${name}`, ...detailOf(capability) });
      return toEntry(place, record);
    },
    async delete(name, capability, actor) {
      const place = placeOf(name, capability);
      if (collection.get(place) === undefined) {
        const whose = capability === undefined ? '' : ` of ${capability}`;
        throw new JobForgeError('SECRET_NOT_FOUND', { message: `There is no secret ${name}${whose}.` });
      }
      await collection.remove(place);
      audit({ actor, action: 'secret.delete', subject: `secret:${name}`, ...detailOf(capability) });
    },
    missing: (names, capability) => names.filter((name) => placeFor(name, capability) === undefined),
    resolve(names, capability) {
      const values: [string, string][] = [];
      const missing: string[] = [];
      for (const name of names) {
        const value = valueOf(name, capability);
        if (value === undefined) missing.push(name);
        else values.push([name, value]);
      }
      return { values: Object.fromEntries(values), missing };
    },
    reload: () => collection.reload(),
  };
}
