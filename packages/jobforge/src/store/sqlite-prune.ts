import type { SqliteDatabase } from './sqlite-driver.js';
import type { PruneQuery, Store } from './store.js';

/** Tables that hold something of a job. The job itself goes last. */
const TABLES = ['events', 'attempts', 'checkpoints', 'ends', 'jobs'];

/** Ends that one call looks at: jobs are forgotten about in the order in which they were submitted. */
const EXAMINED_PER_REMOVED = 4;

/**
 * The forgetting half of the SQLite store. Ended jobs are looked at from the oldest submission on; one that ended late
 * may keep younger ones waiting for their turn, but never past the number that is kept.
 */
export function sqlitePrune(database: SqliteDatabase): Store['prune'] {
  const oldest = database.prepare(
    `SELECT seq FROM (SELECT seq, ended_at FROM ends ORDER BY seq LIMIT ?) WHERE seq <= ? OR ended_at < ?
     ORDER BY seq LIMIT ?`,
  );
  const beyond = database.prepare('SELECT seq FROM ends ORDER BY seq DESC LIMIT 1 OFFSET ?');
  const removals = TABLES.map((table) => database.prepare(`DELETE FROM ${table} WHERE seq = ?`));
  const [begin, end, undo] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));

  const seqsOf = ({ endedBefore, keepJobs, limit }: PruneQuery): number[] => {
    const last = Number(beyond.get(keepJobs)?.['seq'] ?? -1);
    return oldest.all(EXAMINED_PER_REMOVED * limit, last, endedBefore, limit).map(({ seq }) => Number(seq));
  };

  return async (query) => {
    const seqs = seqsOf(query);
    if (seqs.length === 0) return 0;
    begin?.run();
    try {
      for (const seq of seqs) for (const removal of removals) removal.run(seq);
      end?.run();
    } catch (error) {
      undo?.run();
      throw error;
    }
    return seqs.length;
  };
}
