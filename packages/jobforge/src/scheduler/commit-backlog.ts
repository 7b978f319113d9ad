import type { StoreOperation } from '../store/store.js';

/** What waits to be written, and its place in the order in which all was given. */
export interface Placed {
  readonly place: number;
  readonly operation: StoreOperation;
}

/**
 * Whether an operation can be written before others that were given earlier. New jobs can, and so can ends: what a job
 * needs to end is on disk by then, and an end is written once. All else may be about something that another changes.
 */
const isFree = ({ operation: { kind } }: Placed): boolean => kind === 'insert-job' || kind === 'finish-job';

/** A part of what waits, taken to be written in one transaction. */
export interface Bite<Entry extends Placed> {
  readonly entries: readonly Entry[];
  /** It may be written while another that is free is. */
  readonly free: boolean;
}

/** Operations that wait to be written, in the order in which they were given. */
export interface CommitBacklog<Entry extends Placed> {
  add(entry: Entry): void;
  take(most: number): Bite<Entry>;
  /** Has what could not be written wait again, in its place. */
  putBack(entries: readonly Entry[]): void;
  clear(): Entry[];
  readonly length: number;
  /** All of it is free. */
  readonly free: boolean;
  /** Place of the first. */
  readonly first: number | undefined;
}

export function createCommitBacklog<Entry extends Placed>(): CommitBacklog<Entry> {
  let waiting: Entry[] = [];
  let bound = 0;
  const boundOf = (entries: readonly Entry[]): number =>
    entries.reduce((count, entry) => (isFree(entry) ? count : count + 1), 0);

  return {
    add(entry) {
      waiting.push(entry);
      if (!isFree(entry)) bound += 1;
    },
    take(most) {
      const entries = waiting;
      waiting = entries.length <= most ? [] : entries.splice(most);
      const taken = bound === 0 ? 0 : boundOf(entries);
      bound -= taken;
      return { entries, free: taken === 0 };
    },
    putBack(entries) {
      waiting = [...entries, ...waiting].sort((left, right) => left.place - right.place);
      bound = boundOf(waiting);
    },
    clear() {
      bound = 0;
      return waiting.splice(0);
    },
    get length() {
      return waiting.length;
    },
    get free() {
      return bound === 0;
    },
    get first() {
      return waiting[0]?.place;
    },
  };
}
