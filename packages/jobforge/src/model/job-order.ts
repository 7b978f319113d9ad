/** When a job's turn comes. */
export interface Ordered {
  /** See {@link rankOf}. */
  readonly rank: number;
  /** Rises with each submission. */
  readonly seq: number;
}

/**
 * The time by which a job's turn is reckoned: since when it could run, put forward by its priority. Two jobs whose
 * priorities differ by one are `agingMs` apart, so that nothing waits for ever behind what is more urgent, and whoever
 * goes first of two always does, however long both wait.
 */
export function rankOf(job: { readonly priority: number; readonly since: number }, agingMs: number): number {
  return job.since - job.priority * agingMs;
}

/** Whether the left one goes first. */
export function goesFirst(left: Ordered, right: Ordered): boolean {
  return left.rank === right.rank ? left.seq < right.seq : left.rank < right.rank;
}
