import type { Store } from '../store/store.js';
import type { EngineMeters } from './engine-meters.js';

/** A store whose transactions are counted and timed. */
export function createMeteredStore(
  store: Store,
  meters: Pick<EngineMeters, 'commits' | 'commitFailures' | 'commitOperations' | 'commitSeconds'>,
  stopwatch: () => number,
): Store {
  return {
    ...store,
    async commit(batch) {
      const began = stopwatch();
      try {
        const outcomes = await store.commit(batch);
        meters.commits.add(1);
        meters.commitOperations.add(batch.length);
        meters.commitSeconds.observe((stopwatch() - began) / 1000);
        return outcomes;
      } catch (error) {
        meters.commitFailures.add(1);
        throw error;
      }
    },
  };
}
