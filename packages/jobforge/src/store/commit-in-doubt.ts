import type { Outcome } from './store.js';

/** Says what became of a commit whose answer was lost; from then on it stays so. */
export type Settle = () => Promise<readonly Outcome[] | undefined>;

/** The answer to a commit was lost on the way: it may be written. */
export class CommitInDoubt extends Error {
  override readonly name = 'CommitInDoubt';
  /**
   * Resolves to the outcomes where it is written, to undefined where it is not and never will be; rejects where the
   * store cannot be asked.
   */
  readonly settle: Settle;

  constructor(cause: unknown, settle: Settle) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.settle = settle;
  }
}

/** The same doubt, about a part of what was written: once it is settled, `told` makes the part's outcomes of all. */
export function partOfDoubt(
  { cause, settle }: CommitInDoubt,
  told: (outcomes: readonly Outcome[] | undefined) => readonly Outcome[] | undefined,
): CommitInDoubt {
  return new CommitInDoubt(cause, async () => told(await settle()));
}
