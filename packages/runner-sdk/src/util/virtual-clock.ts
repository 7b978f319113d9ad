import type { Clock } from './clock.js';

/** A clock that stands still until it is moved. */
export interface VirtualClock extends Clock {
  /** Moves time on by `ms`; timers that fall due run in order, and what they await runs between them. */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  pending(): number;
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Makes a clock that starts at `startMs` and moves only when told.
 * @param startMs - milliseconds since 1970; default 2026-01-01
 */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = new Map<number, { readonly dueMs: number; readonly callback: () => void }>();
  let elapsedMs = 0;
  let nextId = 1;

  const nextDue = (untilMs: number): number | undefined => {
    let best: number | undefined;
    for (const [id, { dueMs }] of timers) {
      if (dueMs > untilMs) continue;
      const bestDue = best === undefined ? undefined : timers.get(best)?.dueMs;
      if (bestDue === undefined || dueMs < bestDue) best = id;
    }
    return best;
  };

  return {
    now: () => startMs + elapsedMs,
    elapsed: () => elapsedMs,
    pending: () => timers.size,
    setTimeout(callback, delayMs) {
      const id = nextId++;
      timers.set(id, { dueMs: elapsedMs + Math.max(0, delayMs), callback });
      return id;
    },
    clearTimeout: (handle) => void timers.delete(handle as number),
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (let id = nextDue(untilMs); id !== undefined; id = nextDue(untilMs)) {
        const timer = timers.get(id);
        timers.delete(id);
        if (!timer) continue;
        elapsedMs = timer.dueMs;
        timer.callback();
        await settle();
      }
      elapsedMs = untilMs;
      await settle();
    },
  };
}
