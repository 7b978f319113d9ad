import { AUTOMN_SECRET_LENGTH } from '@controlplane/contracts/automn';
import { readSource } from '../credential-source.js';
import { digestOf, type Kept } from './kept-state.js';
import type { ResolvedAutomnOptions } from './options.js';

/** The secret of a runner: as it is configured, or as it was entered or reset. */
export interface Secrets {
  /** Who looks after the secret that counts now. */
  readonly source: 'env' | 'state';
  /** Whether somebody can give another one while the runner runs. */
  readonly canChange: boolean;
  /**
   * The secret to register with, read anew; undefined where there is none.
   * @throws Error when what it comes from fails
   */
  current(): Promise<string | undefined>;
  /** The one that jobs must show: what an operator has configured, or what the control plane has confirmed. */
  serving(): Promise<string | undefined>;
  /** Takes another one; it counts for jobs once it is confirmed. */
  offer(secret: string): Promise<void>;
  /** The control plane took this one. */
  confirm(secret: string): void;
  /** The control plane refused it: what was offered and never taken is forgotten. */
  refuse(secret: string): void;
  forget(): void;
  /** Whether there is one, whatever it is worth. */
  isThere(): boolean;
  /** What of it is kept. */
  kept(): Pick<Kept, 'secret' | 'replaces'>;
}

/** Why such a secret is none; undefined where it is one. */
export function problemOf(secret: string): string | undefined {
  if (secret === '') return 'Secret is required';
  if (secret.length < AUTOMN_SECRET_LENGTH)
    return `Secret must be at least ${AUTOMN_SECRET_LENGTH} characters`;
  return /[^\x21-\x7e]/.test(secret) ? 'Secret must be of printable characters without spaces' : undefined;
}

/**
 * Makes the secret of one runner.
 * @param kept - what an earlier process has left
 */
export async function createSecrets(
  { secret: configured, resetToken }: Pick<ResolvedAutomnOptions, 'secret' | 'resetToken'>,
  kept: Kept,
): Promise<Secrets> {
  const given = async (): Promise<string | undefined> =>
    (await readSource(configured, 'secret')) || undefined;
  const digest = async (): Promise<string | undefined> => {
    const secret = await given();
    return secret === undefined ? undefined : digestOf(secret);
  };
  // Before the first registration this is nothing that a job may rest on.
  let confirmed = kept.lockedAt ? (kept.secret ?? undefined) : undefined;
  let offered: string | undefined = kept.lockedAt ? undefined : (kept.secret ?? undefined);
  let replaces = kept.replaces ?? undefined;
  let isForgotten = false;
  // Whoever has configured another secret since the reset means that one.
  if (
    configured !== undefined &&
    (replaces === undefined || replaces !== (await digest().catch(() => undefined)))
  )
    confirmed = offered = replaces = undefined;

  const hasOwn = (): boolean => configured === undefined || replaces !== undefined;
  return {
    get source() {
      return hasOwn() ? 'state' : 'env';
    },
    canChange: typeof configured !== 'string' || resetToken !== undefined,
    async current() {
      if (isForgotten) return undefined;
      return hasOwn() ? (offered ?? confirmed) : given();
    },
    async serving() {
      if (isForgotten) return undefined;
      return hasOwn() ? confirmed : given();
    },
    async offer(secret) {
      isForgotten = false;
      offered = secret;
      replaces = await digest();
    },
    confirm(secret) {
      if (secret !== offered) return;
      confirmed = secret;
      offered = undefined;
    },
    refuse(secret) {
      if (secret !== offered) return;
      offered = undefined;
      if (confirmed === undefined) replaces = undefined;
    },
    forget() {
      isForgotten = true;
      confirmed = offered = replaces = undefined;
    },
    isThere: () => !isForgotten && (!hasOwn() || (offered ?? confirmed) !== undefined),
    kept: () => (hasOwn() ? { secret: offered ?? confirmed, replaces } : {}),
  };
}
