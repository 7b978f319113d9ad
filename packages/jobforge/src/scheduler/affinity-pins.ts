import type { Clock } from '../model/clock.js';
import type { Execution, RunnerEntry } from './live-job.js';
import { isStaying } from './runner-entry.js';

/** Which runner each affinity key keeps its jobs on. */
export interface AffinityPins {
  /** The runner that a key is with, while that is there and the key was in use of late. */
  of(key: string): RunnerEntry | undefined;
  enter(execution: Execution): void;
  exit(execution: Execution): void;
}

interface Pin {
  readonly runner: RunnerEntry;
  active: number;
  /** When its last job ended. */
  usedAt: number;
}

/** Pins beyond which those are forgotten that nobody uses, the oldest first: clients choose the keys. */
const MAX_PINS = 100_000;

/** @param idleMs - how long a key stays with its runner after its last job has ended */
export function createAffinityPins(clock: Clock, idleMs: number, maxPins = MAX_PINS): AffinityPins {
  /** In the order of their last use. */
  const pins = new Map<string, Pin>();

  const isValid = ({ runner, active, usedAt }: Pin): boolean =>
    isStaying(runner) && (active > 0 || clock.now() - usedAt <= idleMs);

  const trim = (): void => {
    if (pins.size <= maxPins) return;
    for (const [key, { active }] of pins) {
      if (active > 0) continue;
      pins.delete(key);
      if (pins.size <= maxPins) return;
    }
  };

  return {
    of(key) {
      const pin = pins.get(key);
      return pin !== undefined && isValid(pin) ? pin.runner : undefined;
    },
    enter({ job, runner }) {
      const key = job.terms.affinity;
      if (key === undefined) return;
      const pin = pins.get(key);
      // What its runner cannot do goes elsewhere, and the key stays.
      if (pin !== undefined && pin.runner !== runner && isValid(pin)) return;
      const active = pin?.runner === runner ? pin.active + 1 : 1;
      pins.delete(key);
      pins.set(key, { runner, active, usedAt: clock.now() });
      trim();
    },
    exit({ job, runner }) {
      const key = job.terms.affinity;
      const pin = key === undefined ? undefined : pins.get(key);
      if (pin?.runner !== runner) return;
      pin.active = Math.max(0, pin.active - 1);
      pin.usedAt = clock.now();
    },
  };
}
