import { RunnerError } from '../errors/runner-error.js';
import type { Capability } from './capability.js';

/** The capabilities of one runner, by id. */
export interface CapabilityRegistry {
  get(id: string): Capability | undefined;
  list(): readonly Capability[];
}

/**
 * Makes a registry.
 * @param capabilities - in the order in which they are published
 * @throws RunnerError `INVALID_CAPABILITY` when two have the same id
 */
export function createCapabilityRegistry(capabilities: readonly Capability[]): CapabilityRegistry {
  const byId = new Map<string, Capability>();
  for (const capability of capabilities) {
    if (byId.has(capability.id)) {
      throw new RunnerError(
        'INVALID_CAPABILITY',
        `two capabilities have the id "${capability.id}"; give one of them another`,
      );
    }
    byId.set(capability.id, capability);
  }
  const list = [...byId.values()];
  return { get: (id) => byId.get(id), list: () => list };
}
