import type { RecordAccess } from '../store/collection.js';
import type { Store } from '../store/store.js';
import type { GroupCommit } from './group-commit.js';

/** How records reach the store: they are written with everything else, in its order. */
export function recordAccess(store: Pick<Store, 'loadRecords'>, commit: GroupCommit): RecordAccess {
  return {
    load: (collection) => store.loadRecords(collection),
    write: (operation) =>
      new Promise((resolve, reject) => {
        commit.attempt(operation, (error, outcome) =>
          error === undefined ? resolve(outcome) : reject(error),
        );
      }),
  };
}
