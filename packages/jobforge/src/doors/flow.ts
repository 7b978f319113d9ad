import type { ForeignSide } from './foreign-side.js';

/** One connection as far as its runner is let speak over it. */
export interface Flow {
  /** Its session has enough to do. */
  hold(isHeld: boolean): void;
  /** What the runner told altogether waits to be written. */
  fill(isFull: boolean): void;
  /** Whether it is not let speak now: its silence says nothing of it. */
  isPaused(): boolean;
}

/** Makes what stops a runner from telling more, for as long as there is a reason to. */
export function createFlow(side: Pick<ForeignSide, 'pause' | 'resume'>): Flow {
  let [held, full, isPaused] = [false, false, false];
  const settle = (): void => {
    const isToPause = held || full;
    if (isToPause === isPaused) return;
    isPaused = isToPause;
    if (isPaused) side.pause();
    else side.resume();
  };
  return {
    hold(isHeld) {
      held = isHeld;
      settle();
    },
    fill(isFull) {
      full = isFull;
      settle();
    },
    isPaused: () => isPaused,
  };
}

/** Bytes that one runner told and that are not written: beyond these it is not listened to. */
const FULL_BYTES = 4 * 1024 * 1024;
/** Below these it is again. */
const DRAINED_BYTES = 1024 * 1024;

/** Whether there is too much that waits to be written. */
export const isOverfull = (bytes: number, wasFull: boolean): boolean =>
  bytes > (wasFull ? DRAINED_BYTES : FULL_BYTES);
