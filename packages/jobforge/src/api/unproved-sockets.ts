import { JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';

/** Sockets of which nobody has proved anything yet. */
export interface UnprovedSockets {
  /**
   * One more is dialled.
   * @returns what takes it out again
   * @throws JobForgeError AUTH_RATE_LIMITED where there are too many
   */
  enter(address: string): () => void;
}

/** How many there may be at one time. */
export interface UnprovedLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** Seconds after which another try may be taken: whoever proves nothing is cut off by then. */
const RETRY_AFTER = 10;

/** Whoever dials proves who it is within a round trip: these are many, also of a fleet behind one address. */
export const UNPROVED_LIMITS: UnprovedLimits = { total: 512, perAddress: 64 };

export function createUnprovedSockets(
  log: Log,
  { total, perAddress }: UnprovedLimits = UNPROVED_LIMITS,
): UnprovedSockets {
  const counts = new Map<string, number>();
  let all = 0;
  // Said once for each time that there are too many, not for each who is refused.
  let isSaid = false;
  const refuse = (message: string, address: string): never => {
    if (!isSaid) log('warn', 'sockets of foreign runners are refused: too many prove nothing', { address });
    isSaid = true;
    throw new JobForgeError('AUTH_RATE_LIMITED', {
      message,
      retryAfter: RETRY_AFTER,
      remedy: 'Dial again after the seconds in the retry-after header.',
    });
  };
  return {
    enter(address) {
      const own = counts.get(address) ?? 0;
      if (own >= perAddress)
        refuse(`${own} connections of this address have not proved yet who they are.`, address);
      if (all >= total) refuse(`${all} connections have not proved yet who they are.`, address);
      counts.set(address, own + 1);
      all += 1;
      let isIn = true;
      return () => {
        if (!isIn) return;
        isIn = false;
        all -= 1;
        const left = (counts.get(address) ?? 1) - 1;
        if (left > 0) counts.set(address, left);
        else counts.delete(address);
        if (all === 0) isSaid = false;
      };
    },
  };
}
