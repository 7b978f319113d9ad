import type { Clock } from './clock.js';
import { toMilliseconds, type Duration } from './duration.js';
import { createTimerList, type Timer } from './timer-list.js';

/**
 * A clock that stands still until it is moved: a minute of it takes as long as what happens in that minute.
 * Give it to whatever takes a `clock`; two tests that do the same see the same, down to the millisecond.
 *
 * Only its own timers are moved. What a handler waits for elsewhere (the global `setTimeout`, a file, a socket)
 * takes real time, and no `advance` waits for it.
 */
export interface VirtualClock extends Clock {
  /**
   * Moves time on. Timers that fall due run in the order of their time, then of their making; after each one,
   * everything that was waiting for it goes on, and may set timers that fall due within the same move.
   * @param duration - milliseconds, or a text such as `31s`, `10m`, `1m30s`
   * @throws RangeError when it is no span of time; whatever a timer's callback throws
   */
  advance(duration: Duration): Promise<void>;
  /**
   * Moves time from timer to timer until a promise settles, and no further.
   * @param promise - what is waited for
   * @param within - the most by which time may move. Default: one hour
   * @returns what the promise resolves to
   * @throws what the promise rejects with; an Error when it has not settled in that time
   */
  advanceUntil<T>(promise: PromiseLike<T>, within?: Duration): Promise<T>;
  /** Lets what can go on without time go on. */
  settle(): Promise<void>;
  /** How many timers wait. */
  pending(): number;
}

/** Taken when the module is loaded: a test that replaces the global timers must not stop this clock. */
const nextTurn = globalThis.setImmediate;

/** Turns of the event loop in which nothing touches a timer before the clock takes it that nothing more will. */
const QUIET_TURNS = 3;
/** What never becomes quiet (a loop over setImmediate) does not hold the clock for ever. */
const MAX_TURNS = 1_000;

/** What {@link advanceUntil} moves. */
interface Steps {
  elapsed(): number;
  pending(): number;
  settle(): Promise<void>;
  step(untilMs: number): Promise<boolean>;
}

async function advanceUntil<T>(clock: Steps, promise: PromiseLike<T>, withinMs: number): Promise<T> {
  const untilMs = clock.elapsed() + withinMs;
  let isSettled = false;
  const mark = (): void => {
    isSettled = true;
  };
  promise.then(mark, mark);
  await clock.settle();
  while (!isSettled) {
    if (await clock.step(untilMs)) continue;
    throw new Error(
      `not settled within ${withinMs} ms of virtual time (${clock.pending()} timers wait for later): what is awaited waits for longer, or for something that this clock does not move`,
    );
  }
  return await promise;
}

/**
 * Makes a clock that moves only when told.
 * @param startMs - where it starts, in milliseconds since 1970. Default: 2026-01-01, 00:00 UTC
 */
export function createVirtualClock(startMs = Date.UTC(2026, 0, 1)): VirtualClock {
  const timers = createTimerList();
  let elapsedMs = 0;
  let nextId = 1;
  /** Counts what is set and cleared. */
  let changes = 0;

  async function settle(): Promise<void> {
    let quiet = 0;
    for (let turn = 0; quiet < QUIET_TURNS && turn < MAX_TURNS; turn++) {
      const before = changes;
      await new Promise<void>((resolve) => void nextTurn(resolve));
      quiet = changes === before ? quiet + 1 : 0;
    }
  }

  /** Runs the next timer that is due by then; false when there is none. */
  async function step(untilMs: number): Promise<boolean> {
    const timer = timers.takeDue(untilMs);
    if (!timer) return false;
    elapsedMs = Math.max(elapsedMs, timer.dueMs);
    timer.callback();
    await settle();
    return true;
  }

  const steps: Steps = { elapsed: () => elapsedMs, pending: () => timers.size(), settle, step };
  return {
    now: () => startMs + elapsedMs,
    elapsed: steps.elapsed,
    pending: steps.pending,
    settle,
    setTimeout(callback, delayMs) {
      changes++;
      const timer: Timer = { dueMs: elapsedMs + (delayMs > 0 ? delayMs : 0), id: nextId++, callback };
      timers.add(timer);
      return timer;
    },
    clearTimeout(handle) {
      changes++;
      timers.remove(handle as Timer);
    },
    async advance(duration) {
      const untilMs = elapsedMs + toMilliseconds(duration);
      await settle();
      while (await step(untilMs));
      elapsedMs = Math.max(elapsedMs, untilMs);
    },
    advanceUntil: (promise, within = '1h') => advanceUntil(steps, promise, toMilliseconds(within)),
  };
}
