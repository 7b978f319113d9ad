import type { RunnerIndex } from './runner-index.js';

/** Registrations that are being written, so that two at once of the same runner get one id. */
export interface RegistrationClaims {
  /** The id of whoever registers as `identity`. Freed when `work` is done. */
  hold<T>(claim: { identity: string; id: string | undefined }, work: (id: string) => Promise<T>): Promise<T>;
  isHeld(identity: string): boolean;
}

export function createRegistrationClaims(
  index: RunnerIndex,
  newRunnerId: (identity: string) => string,
): RegistrationClaims {
  const held = new Map<string, { readonly id: string; count: number }>();
  return {
    async hold({ identity, id: known }, work) {
      const others = held.get(identity);
      const id = known ?? index.byIdentity(identity)?.id ?? others?.id ?? newRunnerId(identity);
      const writing = others ?? { id, count: 0 };
      held.set(identity, writing);
      writing.count += 1;
      try {
        return await work(id);
      } finally {
        writing.count -= 1;
        if (writing.count === 0) held.delete(identity);
      }
    },
    isHeld: (identity) => held.has(identity),
  };
}
