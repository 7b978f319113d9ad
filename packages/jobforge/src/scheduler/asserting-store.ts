import type { Clock } from '../model/clock.js';
import { CommitInDoubt, partOfDoubt } from '../store/commit-in-doubt.js';
import { isAsserted } from '../store/end-records.js';
import type { AssertEnds, Store } from '../store/store.js';
import { TRUTH_CHAIN } from './truth-record.js';

/**
 * A store whose every batch that ends jobs carries one more operation: a link of the record of what ran, sealed over
 * all of those ends. They are on disk together or not at all.
 */
export function assertingStore(store: Store, clock: Clock): Store {
  return {
    ...store,
    async commit(batch) {
      if (!batch.some(isAsserted)) return store.commit(batch);
      const assertion: AssertEnds = { kind: 'assert-ends', chain: TRUTH_CHAIN, at: clock.now() };
      try {
        return (await store.commit([...batch, assertion])).slice(0, -1);
      } catch (error) {
        if (!(error instanceof CommitInDoubt)) throw error;
        throw partOfDoubt(error, (outcomes) => outcomes?.slice(0, -1));
      }
    },
  };
}
