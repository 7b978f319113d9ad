import type { PostgresDatabase } from './postgres-driver.js';
import type { Store } from './store.js';

/** Tables that hold something of a job. The job itself goes last. */
const TABLES = ['events', 'attempts', 'checkpoints', 'ends', 'jobs'];

/** Ends that one call looks at: jobs are forgotten about in the order in which they were submitted. */
const EXAMINED_PER_REMOVED = 4;

const BEYOND = 'SELECT seq FROM ends ORDER BY seq DESC LIMIT 1 OFFSET $1';
const OLDEST = `SELECT seq FROM (SELECT seq, ended_at FROM ends ORDER BY seq LIMIT $1) AS oldest
  WHERE seq <= $2 OR ended_at < $3 ORDER BY seq LIMIT $4`;

/** The forgetting half of the PostgreSQL store. Two who forget at once forget the same jobs. */
export function postgresPrune({ query, transaction }: PostgresDatabase): Store['prune'] {
  return async ({ endedBefore, keepJobs, limit }) => {
    const [beyond] = await query(BEYOND, [keepJobs]);
    const last = Number(beyond?.['seq'] ?? -1);
    const rows = await query(OLDEST, [EXAMINED_PER_REMOVED * limit, last, endedBefore, limit]);
    const seqs = rows.map(({ seq }) => Number(seq));
    if (seqs.length === 0) return 0;
    await transaction((within) =>
      Promise.all(
        TABLES.map((table) => within(`DELETE FROM ${table} WHERE seq = ANY($1::bigint[])`, [seqs])),
      ),
    );
    return seqs.length;
  };
}
