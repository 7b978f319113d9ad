import { RunnerError } from '../errors/runner-error.js';
import type { Capability } from './capability.js';
import { withMiddleware, type Middleware } from './middleware.js';

/** The capabilities of one runner, by id. */
export interface CapabilityRegistry {
  get(id: string): Capability | undefined;
  list(): readonly Capability[];
}

/**
 * Makes a registry.
 * @param capabilities - in the order in which they are published
 * @param use - put around the handler of each, outside its own; default: none
 * @throws RunnerError `INVALID_CAPABILITY` when two have the same id
 */
export function createCapabilityRegistry(
  capabilities: readonly Capability[],
  use: readonly Middleware[] = [],
): CapabilityRegistry {
  const byId = new Map<string, Capability>();
  for (const capability of capabilities) {
    if (byId.has(capability.id)) {
      throw new RunnerError(
        'INVALID_CAPABILITY',
        `two capabilities have the id "${capability.id}"; give one of them another`,
      );
    }
    const { execute } = capability;
    byId.set(
      capability.id,
      use.length === 0 ? capability : { ...capability, execute: withMiddleware(use, execute) },
    );
  }
  const list = [...byId.values()];
  return { get: (id) => byId.get(id), list: () => list };
}
