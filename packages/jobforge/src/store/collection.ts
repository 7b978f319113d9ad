import type { Outcome, PutRecord, RemoveRecord, StoredRecord } from './store.js';

/** How a collection reaches the store: reading by itself, writing with everything else that is written. */
export interface RecordAccess {
  load(collection: string): Promise<readonly StoredRecord[]>;
  /** Resolves once it is on disk. */
  write(operation: PutRecord | RemoveRecord): Promise<Outcome>;
}

/** The documents of one collection, all of them in memory. */
export interface Collection<T> {
  get(id: string): T | undefined;
  entries(): IterableIterator<[id: string, value: T]>;
  readonly size: number;
  /**
   * Replaces a document by what `next` makes of it, once that is on disk. `next` is asked again where another
   * JobForge on the same store was faster; what it throws changes nothing, and so does giving back what there is.
   */
  change(id: string, next: (current: T | undefined) => T): Promise<T>;
  remove(id: string): Promise<void>;
  /** Reads everything anew: at the start, and where another JobForge on the same store has written. */
  reload(): Promise<void>;
}

interface Held<T> {
  readonly text: string;
  readonly value: T;
}

/** Changes in a row that another may be faster in. */
const MAX_TRIES = 20;

/** Keeps a collection of the store in memory. It is empty until `reload`. */
export function createCollection<T>(records: RecordAccess, collection: string): Collection<T> {
  let held = new Map<string, Held<T>>();
  /** Rises with each write, so that what was read meanwhile is known to be old. */
  let writes = 0;

  const read = (id: string, text: string): Held<T> => {
    const known = held.get(id);
    return known?.text === text ? known : { text, value: JSON.parse(text) as T };
  };
  const reload = async (): Promise<void> => {
    for (;;) {
      const before = writes;
      const loaded = await records.load(collection);
      if (before !== writes) continue;
      held = new Map(loaded.map(({ id, record }) => [id, read(id, record)]));
      return;
    }
  };

  return {
    get: (id) => held.get(id)?.value,
    *entries() {
      for (const [id, { value }] of held) yield [id, value];
    },
    get size() {
      return held.size;
    },
    async change(id, next) {
      for (let tries = 0; tries < MAX_TRIES; tries++) {
        const current = held.get(id);
        const value = next(current?.value);
        if (current !== undefined && value === current.value) return value;
        const record = JSON.stringify(value);
        const replaces = current?.text ?? null;
        const outcome = await records.write({ kind: 'put-record', collection, id, record, replaces });
        if (outcome !== 'superseded') {
          writes += 1;
          held.set(id, { text: record, value });
          return value;
        }
        await reload();
      }
      throw new Error(`the record "${id}" of ${collection} is changed faster than it can be written`);
    },
    async remove(id) {
      await records.write({ kind: 'remove-record', collection, id });
      writes += 1;
      held.delete(id);
    },
    reload,
  };
}
