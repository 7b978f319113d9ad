import { CommitInDoubt, type Settle } from '../store/commit-in-doubt.js';
import { StoreFailing } from '../store/store-failing.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';

/** What became of a part of a batch: stored, or refused alone while others can be stored. */
export interface BatchListener<Entry> {
  stored(entries: readonly Entry[], outcomes: readonly Outcome[]): void;
  refused(entry: Entry, error: Error): void;
}

/** What may be stored, and how that is found out. */
export interface Doubtful<Entry> {
  readonly entries: readonly Entry[];
  readonly settle: Settle;
}

/** What the store could not take at all, and why. */
export interface Unstored<Entry> {
  readonly entries: readonly Entry[];
  readonly doubtful?: Doubtful<Entry>;
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

/** Finds out at once what became of a commit whose answer was lost, and tries again where that is not written. */
async function triedAgain(
  store: Store,
  batch: readonly StoreOperation[],
  doubt: CommitInDoubt,
): Promise<Tried> {
  let outcomes;
  try {
    outcomes = await doubt.settle();
  } catch {
    return { error: doubt };
  }
  return outcomes === undefined ? tried(store, batch) : { outcomes };
}

/** Why the store cannot write anything; undefined where it can. */
export async function whyUnwritable(store: Store): Promise<Error | undefined> {
  const probe = await tried(store, PROBE);
  return 'error' in probe ? probe.error : undefined;
}

/** Whether the store could not write anything else either. A little may fit where a batch does not: that waits for room. */
async function fails(store: Store, error: Error): Promise<boolean> {
  return error instanceof StoreFailing || (await whyUnwritable(store)) !== undefined;
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
  if ('error' in attempt && attempt.error instanceof CommitInDoubt)
    attempt = await triedAgain(store, batch, attempt.error);
  if ('error' in attempt) {
    const { error } = attempt;
    if (error instanceof CommitInDoubt)
      return { entries: [], doubtful: { entries, settle: error.settle }, error };
    if (await fails(store, error)) return { entries, error };
    // Whatever was the matter may have passed.
    if (batch.length === 1) attempt = await tried(store, batch);
  }
  if ('outcomes' in attempt) {
    listener.stored(entries, attempt.outcomes);
    return undefined;
  }
  return commitHalves(store, entries, { listener, error: attempt.error });
}

async function commitHalves<Entry extends { readonly operation: StoreOperation }>(
  store: Store,
  entries: readonly Entry[],
  { listener, error }: { readonly listener: BatchListener<Entry>; readonly error: Error },
): Promise<Unstored<Entry> | undefined> {
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    listener.refused(only, error);
    return undefined;
  }
  const middle = Math.ceil(entries.length / 2);
  const left = await commitBatch(store, entries.slice(0, middle), listener);
  if (left !== undefined) return { ...left, entries: [...left.entries, ...entries.slice(middle)] };
  return commitBatch(store, entries.slice(middle), listener);
}
