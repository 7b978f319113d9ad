import type { Capability } from '../capability/capability.js';

/** The units of concurrency of one runner. */
export interface Slots {
  /** How many executions hold a slot. */
  readonly taken: number;
  /** The most that may. */
  readonly max: number;
  /** How many may still be taken, as far as the runner's own slots go. */
  readonly free: number;
  /**
   * Takes a slot of the runner and one of the capability.
   * @returns undefined when both were free; else in words why there is none
   */
  take(capability: Capability): string | undefined;
  /** Gives both back. */
  release(capability: Capability): void;
  /**
   * Calls back whenever a slot was given back.
   * @returns ends that
   */
  onFreed(listener: () => void): () => void;
}

/**
 * Makes the slots of a runner.
 * @param max - executions that may run at once, over all capabilities
 * @param left - executions that may still be begun. Default: any number
 */
export function createSlots(max: number, left?: () => number): Slots {
  const byCapability = new Map<string, number>();
  const listeners = new Set<() => void>();
  let taken = 0;
  return {
    max,
    get taken() {
      return taken;
    },
    get free() {
      return Math.min(max - taken, left?.() ?? max);
    },
    take({ id, maxConcurrency }) {
      if (taken >= max) return `all ${max} slots of the runner are taken`;
      if (left && left() <= 0) return 'the runner has begun all executions that it runs';
      const ofCapability = byCapability.get(id) ?? 0;
      if (maxConcurrency !== undefined && ofCapability >= maxConcurrency) {
        return `all ${maxConcurrency} slots of the capability "${id}" are taken`;
      }
      taken++;
      byCapability.set(id, ofCapability + 1);
      return undefined;
    },
    release({ id }) {
      taken--;
      byCapability.set(id, (byCapability.get(id) ?? 1) - 1);
      for (const listener of listeners) listener();
    },
    onFreed(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
