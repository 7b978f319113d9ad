import type { PostgresQuery } from './postgres-driver.js';
import { ReplicaLost } from './replica-store.js';
import type { InsertJob, Outcome, StoreOperation } from './store.js';

/** A batch of a replica by its number, which is written with it: no number twice. */
export interface CommitMark {
  readonly replica: number;
  readonly batch: number;
}

/** The numbers of the batches that a replica writes. */
export interface CommitMarks {
  next(replica: number): CommitMark;
  /** Says that nobody will ask about a batch any more. */
  done(mark: CommitMark): void;
}

/** Numbers that are over and still in the store before some are removed. */
const REMOVED_FROM = 500;
/** Nobody asks about a batch after this many others: nothing is written before whoever is in doubt has asked. */
const MOST_OPEN = 1_000;

/** Those that were closed stay: what is still on its way under one must never be written. Few are, and they go with the replica. */
const REMOVE = 'DELETE FROM commits WHERE replica = $1 AND batch >= $2 AND batch < $3 AND written';

export function createCommitMarks(query: PostgresQuery): CommitMarks {
  let [last, kept, removing] = [0, 1, false];
  const open = new Set<number>();
  return {
    next(replica) {
      last += 1;
      open.add(last);
      return { replica, batch: last };
    },
    done({ replica, batch }) {
      open.delete(batch);
      for (const old of open) if (old < last - MOST_OPEN) open.delete(old);
      const [until] = open.size === 0 ? [last + 1] : open;
      if (removing || until === undefined || until - kept < REMOVED_FROM) return;
      removing = true;
      query(REMOVE, [replica, kept, until])
        .then(
          () => (kept = until),
          // They are removed with the next ones.
          () => undefined,
        )
        .finally(() => (removing = false))
        .catch(() => undefined);
    },
  };
}

/**
 * Enters a batch's number as that of none where it is not there: a batch that is still on its way is never written then.
 * Asked again, it says the same.
 */
const CLOSE = `
  WITH here AS MATERIALIZED (SELECT id FROM replicas WHERE id = $1 FOR KEY SHARE)
  INSERT INTO commits (replica, batch, written) SELECT id, $2, false FROM here
  ON CONFLICT (replica, batch) DO UPDATE SET batch = excluded.batch RETURNING written`;

/**
 * Whether a batch was written; where it was not, it never will be.
 * @throws ReplicaLost where the replica was given up meanwhile
 */
export async function isWritten(query: PostgresQuery, { replica, batch }: CommitMark): Promise<boolean> {
  const [row] = await query(CLOSE, [replica, batch]);
  if (row === undefined) throw new ReplicaLost();
  return row['written'] === true;
}

const INSERTED = 'SELECT id, seq, created_at, owner FROM jobs WHERE id = ANY($1::text[])';

/** What became of each operation of a batch that was written, and has no records. */
export async function readOutcomes(
  query: PostgresQuery,
  batch: readonly StoreOperation[],
  replica: number,
): Promise<Outcome[]> {
  const inserts = batch.filter((operation): operation is InsertJob => operation.kind === 'insert-job');
  const rows = inserts.length === 0 ? [] : await query(INSERTED, [inserts.map(({ id }) => id)]);
  const found = new Map(rows.map((row) => [row['id'], row]));
  return batch.map((operation): Outcome => {
    if (operation.kind !== 'insert-job') return 'done';
    const row = found.get(operation.id);
    found.delete(operation.id);
    // One that was there before came at another time, or to another replica.
    const isOwn = operation.place?.owned === false || Number(row?.['owner']) === replica;
    if (row === undefined || !isOwn || Number(row['created_at']) !== operation.createdAt) return 'exists';
    return { seq: Number(row['seq']) };
  });
}
