import type { Clock } from '../model/clock.js';

/** A while in which nothing is offered to a runner that says "not now". */
export interface Rest {
  isOn(): boolean;
  /** Begins, longer each time. */
  begin(): void;
  /** The runner has taken something: the next one is short again. */
  forget(): void;
}

const FIRST_MS = 1_000;
const MAX_MS = 30_000;

/** Bytes in the way of a runner that takes nothing now: more than are offered over, and less than it would be cut off for. */
export const NO_ROOM_BYTES = 2 * 1024 * 1024;

/** @param onOver - called when it may be offered something again */
export function createRest(clock: Clock, onOver: () => void): Rest {
  let [isOn, times] = [false, 0];
  return {
    isOn: () => isOn,
    begin() {
      if (isOn) return;
      isOn = true;
      clock.after(Math.min(FIRST_MS * 2 ** times, MAX_MS), () => {
        isOn = false;
        onOver();
      });
      times += 1;
    },
    forget: () => void (times = 0),
  };
}
