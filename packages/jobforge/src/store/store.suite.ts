import { afterEach, describe } from 'vitest';
import { chainSuite } from './chain.suite.js';
import { historySuite } from './history.suite.js';
import { jobsSuite } from './jobs.suite.js';
import { listingSuite } from './listing.suite.js';
import { recordsSuite } from './records.suite.js';
import { reopeningSuite } from './reopening.suite.js';
import type { Store } from './store.js';

/** The behaviour that every store shows: one file a concern. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  describe(`${name} store`, () => {
    const stores: Store[] = [];
    const opened = async (): Promise<Store> => {
      const store = await open();
      stores.push(store);
      return store;
    };
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close();
    });

    jobsSuite(opened);
    historySuite(opened);
    reopeningSuite(opened);
    listingSuite(opened);
    recordsSuite(opened);
    chainSuite(opened);
  });
}
