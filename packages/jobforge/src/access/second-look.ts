import type { Clock } from '../model/clock.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';

/** Looks something up; where that is refused, once more after everything was read anew. */
export type SecondLook = <T>(look: () => T) => T | Promise<T>;

/** Nothing is read anew: what is in memory is what there is. */
export const noSecondLook: SecondLook = (look) => look();

/** Readings begin at least this far apart: guessing costs whoever guesses. */
const APART_MS = 100;

/** Refusals that what another JobForge has handed out since takes back. */
const MAY_BE_OLD: ReadonlySet<string> = new Set(['CREDENTIAL_INVALID', 'TOKEN_REVOKED']);

/** Where other JobForges share the store: what they have handed out is not known here before it is read. */
export function createSecondLook(reload: () => Promise<void>, clock: Clock): SecondLook {
  let next: Promise<void> | undefined;
  let readyAt = 0;
  const readAnew = async (): Promise<void> => {
    const waitMs = Math.max(0, readyAt - clock.now());
    await new Promise<void>((resolve) => void (waitMs === 0 ? resolve() : clock.after(waitMs, resolve)));
    // Whoever comes from now on may ask for what is written after this reading.
    next = undefined;
    readyAt = clock.now() + APART_MS;
    await reload().catch(() => {
      // Nobody is turned away for good because the store could not be read.
      throw new JobForgeError('STORE_UNAVAILABLE');
    });
  };
  return <T>(look: () => T): T | Promise<T> => {
    try {
      return look();
    } catch (error) {
      if (!isJobForgeError(error) || !MAY_BE_OLD.has(error.envelope.code)) throw error;
      next ??= readAnew();
      return next.then(look);
    }
  };
}
