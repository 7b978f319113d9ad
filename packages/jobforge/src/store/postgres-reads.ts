import type { PostgresQuery } from './postgres-driver.js';
import type { JobQuery } from './store.js';
import {
  JOB_COLUMNS,
  JOINED,
  pageOfJobs,
  text,
  toAttempt,
  toEvent,
  toJob,
  toRecord,
  type Row,
  type StoreReads,
} from './stored-rows.js';

const BY_NUMBER = `${JOINED} WHERE j.seq < $1 ORDER BY j.seq DESC LIMIT $2`;
const COMPLETED = `${JOINED} WHERE j.seq < $1 AND e.status = 'completed' ORDER BY j.seq DESC LIMIT $2`;
const NOT_COMPLETED = `SELECT ${JOB_COLUMNS} FROM ends e JOIN jobs j ON j.seq = e.seq
  WHERE e.status <> 'completed' AND e.status = $3 AND e.seq < $1 ORDER BY e.seq DESC LIMIT $2`;

function rowsOf(query: PostgresQuery, { before, ended }: JobQuery, limit: number): Promise<Row[]> {
  const below = before ?? Number.MAX_SAFE_INTEGER;
  if (ended === undefined) return query(BY_NUMBER, [below, limit]);
  if (ended === 'completed') return query(COMPLETED, [below, limit]);
  return query(NOT_COMPLETED, [below, limit, ended]);
}

/** The reading half of the PostgreSQL store. */
export function postgresReads(query: PostgresQuery): StoreReads {
  return {
    async loadJob(id) {
      const [row] = await query(`${JOINED} WHERE j.id = $1`, [id]);
      return row && toJob(row);
    },
    async loadJobs(seqs) {
      if (seqs.length === 0) return [];
      const rows = await query(`${JOINED} WHERE j.seq = ANY($1::bigint[])`, [seqs]);
      const jobs = new Map(rows.map(toJob).map((job) => [job.seq, job]));
      return seqs.flatMap((seq) => jobs.get(seq) ?? []);
    },
    async loadCheckpoint(seq) {
      const [row] = await query('SELECT data FROM checkpoints WHERE seq = $1', [seq]);
      return row && text(row, 'data');
    },
    async loadHistory(seq) {
      const [attempts, events] = await Promise.all([
        query('SELECT * FROM attempts WHERE seq = $1 ORDER BY attempt', [seq]),
        query('SELECT * FROM events WHERE seq = $1 ORDER BY attempt, event_seq', [seq]),
      ]);
      return { attempts: attempts.map(toAttempt), events: events.map(toEvent) };
    },
    async loadNotifications(seq) {
      const statement =
        "SELECT * FROM events WHERE seq = $1 AND type = 'notification' ORDER BY attempt, event_seq";
      return (await query(statement, [seq])).map(toEvent);
    },
    listJobs: (page) => pageOfJobs(page, (bite, limit) => rowsOf(query, bite, limit)),
    async unfinishedJobs({ after, limit }) {
      const rows = await query(`${JOINED} WHERE j.seq > $1 AND e.seq IS NULL ORDER BY j.seq LIMIT $2`, [
        after,
        limit,
      ]);
      return rows.map(toJob);
    },
    async loadRunners() {
      return (await query('SELECT id, record FROM runners ORDER BY id COLLATE "C"')).map(toRecord);
    },
    async loadRecords(collection) {
      const statement = 'SELECT id, record FROM records WHERE collection = $1 ORDER BY id COLLATE "C"';
      return (await query(statement, [collection])).map(toRecord);
    },
  };
}
