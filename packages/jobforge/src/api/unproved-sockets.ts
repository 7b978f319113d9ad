import type { Log } from '../model/log.js';

/** Sockets of which nobody has proved anything yet. */
export interface UnprovedSockets {
  /**
   * One more is dialled. Where there are too many, the oldest goes: whoever is honest proves who it is within a round
   * trip, and whoever is silent keeps nobody out.
   * @param cutOff - called where it is the one that goes; it is out by then
   * @returns what takes it out again
   */
  enter(address: string, cutOff: () => void): () => void;
}

/** How many there may be at one time. */
export interface UnprovedLimits {
  readonly total: number;
  readonly perAddress: number;
}

/** Whoever dials proves who it is within a round trip: these are many, also of a fleet behind one address. */
export const UNPROVED_LIMITS: UnprovedLimits = { total: 512, perAddress: 64 };

interface One {
  readonly address: string;
  readonly cutOff: () => void;
}

export function createUnprovedSockets(
  log: Log,
  { total, perAddress }: UnprovedLimits = UNPROVED_LIMITS,
): UnprovedSockets {
  // Both in the order in which they came.
  const all = new Set<One>();
  const byAddress = new Map<string, Set<One>>();
  // Said once for each time that there are too many, not for each that goes.
  let isSaid = false;
  const leave = (one: One): void => {
    const own = byAddress.get(one.address);
    all.delete(one);
    own?.delete(one);
    if (own?.size === 0) byAddress.delete(one.address);
    if (all.size === 0) isSaid = false;
  };
  const makeRoom = (among: ReadonlySet<One> | undefined, limit: number): void => {
    const [oldest] = among ?? [];
    if (oldest === undefined || (among?.size ?? 0) < limit) return;
    const { address } = oldest;
    if (!isSaid) log('warn', 'sockets of foreign runners are cut off: too many prove nothing', { address });
    isSaid = true;
    leave(oldest);
    oldest.cutOff();
  };
  return {
    enter(address, cutOff) {
      makeRoom(byAddress.get(address), perAddress);
      makeRoom(all, total);
      const one: One = { address, cutOff };
      all.add(one);
      byAddress.set(address, (byAddress.get(address) ?? new Set()).add(one));
      return () => leave(one);
    },
  };
}
