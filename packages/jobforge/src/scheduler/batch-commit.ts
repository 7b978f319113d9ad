import { StoreFailing } from '../store/store-failing.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';

/** What became of a part of a batch: stored, or refused alone while others can be stored. */
export interface BatchListener<Entry> {
  stored(entries: readonly Entry[], outcomes: readonly Outcome[]): void;
  refused(entry: Entry, error: Error): void;
}

/** What the store could not take at all, and why. */
export interface Unstored<Entry> {
  readonly entries: readonly Entry[];
  readonly error: Error;
}

/** The runner that a store is asked to write and forget again, to find out whether it can write at all. */
const PROBE_ID = 'jobforge.probe';
const PROBE: readonly StoreOperation[] = [
  { kind: 'put-runner', id: PROBE_ID, record: '{}' },
  { kind: 'remove-runner', id: PROBE_ID },
];

type Tried = { readonly outcomes: readonly Outcome[] } | { readonly error: Error };

async function tried(store: Store, batch: readonly StoreOperation[]): Promise<Tried> {
  try {
    return { outcomes: await store.commit(batch) };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/**
 * Stores a batch in one transaction. Where that fails although the store can write, the batch is cut in two again and
 * again, until what cannot be stored is refused alone.
 * @returns what is left where the store cannot write; undefined otherwise
 */
export async function commitBatch<Entry extends { readonly operation: StoreOperation }>(
  store: Store,
  entries: readonly Entry[],
  listener: BatchListener<Entry>,
): Promise<Unstored<Entry> | undefined> {
  const batch = entries.map(({ operation }) => operation);
  let attempt = await tried(store, batch);
  if ('error' in attempt) {
    // A little may fit where this does not: it waits for room all the same, rather than being given up.
    if (attempt.error instanceof StoreFailing || 'error' in (await tried(store, PROBE)))
      return { entries, error: attempt.error };
    // Whatever was the matter may have passed.
    if (batch.length === 1) attempt = await tried(store, batch);
  }
  if ('outcomes' in attempt) {
    listener.stored(entries, attempt.outcomes);
    return undefined;
  }
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    listener.refused(only, attempt.error);
    return undefined;
  }
  const middle = Math.ceil(entries.length / 2);
  const left = await commitBatch(store, entries.slice(0, middle), listener);
  if (left !== undefined) return { ...left, entries: [...left.entries, ...entries.slice(middle)] };
  return commitBatch(store, entries.slice(middle), listener);
}
