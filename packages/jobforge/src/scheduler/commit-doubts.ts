import type { Outcome } from '../store/store.js';
import type { Doubtful } from './batch-commit.js';
import type { Placed } from './commit-backlog.js';

/** What may be stored, and has to be asked about before anything else is written: it may depend on that. */
export interface CommitDoubts<Entry extends Placed> {
  add(doubt: Doubtful<Entry>): void;
  /** Asks about the oldest. Resolves to why that could not be asked; undefined where it is a doubt no more. */
  settle(): Promise<Error | undefined>;
  clear(): void;
  readonly length: number;
  /** Place of the first operation in doubt. */
  readonly first: number | undefined;
}

/** Told what became of operations that were in doubt. */
export interface DoubtListener<Entry> {
  written(entries: readonly Entry[], outcomes: readonly Outcome[]): void;
  unwritten(entries: readonly Entry[]): void;
}

export function createCommitDoubts<Entry extends Placed>(
  listener: DoubtListener<Entry>,
): CommitDoubts<Entry> {
  let doubts: readonly Doubtful<Entry>[] = [];
  return {
    add: (doubt) => void (doubts = [...doubts, doubt]),
    async settle() {
      const [doubt] = doubts;
      if (doubt === undefined) return undefined;
      let outcomes: readonly Outcome[] | undefined;
      try {
        outcomes = await doubt.settle();
      } catch (error) {
        return error instanceof Error ? error : new Error(String(error));
      }
      if (!doubts.includes(doubt)) return undefined;
      doubts = doubts.filter((other) => other !== doubt);
      if (outcomes === undefined) listener.unwritten(doubt.entries);
      else listener.written(doubt.entries, outcomes);
      return undefined;
    },
    clear: () => void (doubts = []),
    get length() {
      return doubts.length;
    },
    get first() {
      return doubts[0]?.entries[0]?.place;
    },
  };
}
