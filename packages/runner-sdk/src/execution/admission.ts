import type { Capability } from '../capability/capability.js';

/** The units of concurrency of one runner. */
export interface Slots {
  /** How many executions hold a slot. */
  readonly taken: number;
  /** The most that may. */
  readonly max: number;
  /**
   * Takes a slot of the runner and one of the capability.
   * @returns undefined when both were free; else in words which one is not
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
 */
export function createSlots(max: number): Slots {
  const byCapability = new Map<string, number>();
  const listeners = new Set<() => void>();
  let taken = 0;
  return {
    max,
    get taken() {
      return taken;
    },
    take({ id, maxConcurrency }) {
      if (taken >= max) return `all ${max} slots of the runner are taken`;
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
