import type { Clock } from '../model/clock.js';
import { createHeap } from './heap.js';

/** Things to do at a time: one timer for all of them. */
export interface Agenda {
  /** Calls `due` at or after `at`. What no longer matters by then is dropped from time to time. */
  add(at: number, due: () => void, matters?: () => boolean): void;
  stop(): void;
}

interface Item {
  readonly at: number;
  readonly due: () => void;
  readonly matters: (() => boolean) | undefined;
}

/** Items beyond which those that no longer matter are looked for. */
const SWEEP_FROM = 10_000;

export function createAgenda(clock: Clock): Agenda {
  const items = createHeap<Item>((left, right) => left.at < right.at);
  let cancelTimer: (() => void) | undefined;
  let wakesAt = Infinity;
  let stopped = false;
  let sweepAt = SWEEP_FROM;

  const arm = (): void => {
    const first = items.peek();
    if (stopped || first === undefined || first.at >= wakesAt) return;
    cancelTimer?.();
    wakesAt = first.at;
    cancelTimer = clock.after(first.at - clock.now(), run);
  };

  function run(): void {
    wakesAt = Infinity;
    cancelTimer = undefined;
    for (
      let first = items.peek();
      !stopped && first !== undefined && first.at <= clock.now();
      first = items.peek()
    ) {
      items.pop();
      first.due();
    }
    arm();
  }

  return {
    add(at, due, matters) {
      items.push({ at, due, matters });
      if (items.size >= sweepAt) {
        items.retain((item) => item.matters?.() ?? true);
        sweepAt = Math.max(SWEEP_FROM, 2 * items.size);
      }
      arm();
    },
    stop() {
      stopped = true;
      cancelTimer?.();
    },
  };
}
