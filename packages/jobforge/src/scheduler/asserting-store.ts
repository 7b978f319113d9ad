import type { Clock } from '../model/clock.js';
import { CommitInDoubt, partOfDoubt } from '../store/commit-in-doubt.js';
import type { Store, StoreOperation } from '../store/store.js';
import { TRUTH_CHAIN } from './truth-record.js';

/** The link that the ends in a batch come to; undefined where there is none. */
function linkOf(batch: readonly StoreOperation[], at: number): StoreOperation | undefined {
  let record = '';
  for (const operation of batch) {
    if (operation.kind !== 'finish-job' || operation.assertion === undefined) continue;
    record += record === '' ? `[${operation.assertion}` : `,${operation.assertion}`;
  }
  return record === '' ? undefined : { kind: 'append-link', chain: TRUTH_CHAIN, at, record: `${record}]` };
}

/**
 * A store whose every batch that ends jobs carries one more operation: a link of the record of what ran, sealed over
 * all of those ends. They are on disk together or not at all.
 */
export function assertingStore(store: Store, clock: Clock): Store {
  return {
    ...store,
    async commit(batch) {
      const link = linkOf(batch, clock.now());
      if (link === undefined) return store.commit(batch);
      try {
        return (await store.commit([...batch, link])).slice(0, -1);
      } catch (error) {
        if (!(error instanceof CommitInDoubt)) throw error;
        throw partOfDoubt(error, (outcomes) => outcomes?.slice(0, -1));
      }
    },
  };
}
