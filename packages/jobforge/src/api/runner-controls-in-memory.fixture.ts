import type { RunnerMetadata } from '@controlplane/contracts';
import type { RunnerControlOperations } from '../model/runner-operations.js';

/** The runners that in-memory controls act on. */
export interface RunnersInMemory {
  /** Refuses with RUNNER_NOT_FOUND. */
  found(id: string): RunnerMetadata;
  /** Adds one, or replaces the one with its id. */
  add(runner: RunnerMetadata): RunnerMetadata;
  remove(id: string): void;
}

/** What operators do to runners, over plain values. */
export function runnerControlsInMemory({ found, add, remove }: RunnersInMemory): RunnerControlOperations {
  return {
    drainRunner: async (id) => add({ ...found(id), draining: true }),
    disableRunner: async (id, { reason }) => {
      const since = new Date().toISOString();
      return add({ ...found(id), disabled: reason === undefined ? { since } : { since, reason } });
    },
    enableRunner: async (id) => {
      const { disabled: _disabled, draining: _draining, ...runner } = found(id);
      return add(runner);
    },
    verifyRunner: async (id) => ({
      runnerId: found(id).id,
      ok: true,
      steps: [{ name: 'connection', ok: true, durationMs: 1, message: 'push, healthy' }],
    }),
    deleteRunner: async (id) => {
      remove(found(id).id);
      return { runnerId: id, deleted: true };
    },
  };
}
