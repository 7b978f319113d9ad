import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.js';
import type { JobHistory, JobQuery } from './store.js';
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

interface ListStatements {
  readonly byNumber: SqliteStatement;
  readonly completed: SqliteStatement;
  readonly notCompleted: SqliteStatement;
}

function rowsOf(statements: ListStatements, query: JobQuery, limit: number): Row[] {
  const before = query.before ?? Number.MAX_SAFE_INTEGER;
  if (query.ended === undefined) return statements.byNumber.all(before, limit);
  if (query.ended === 'completed') return statements.completed.all(before, limit);
  return statements.notCompleted.all(query.ended, before, limit);
}

function loadHistory(attempts: SqliteStatement, events: SqliteStatement, seq: number): JobHistory {
  return { attempts: attempts.all(seq).map(toAttempt), events: events.all(seq).map(toEvent) };
}

/** The reading half of the SQLite store. */
export function sqliteReads(database: SqliteDatabase): StoreReads {
  const byId = database.prepare(`${JOINED} WHERE j.id = ?`);
  const bySeq = database.prepare(`${JOINED} WHERE j.seq = ?`);
  const unfinished = database.prepare(`${JOINED} WHERE j.seq > ? AND e.seq IS NULL ORDER BY j.seq LIMIT ?`);
  const attempts = database.prepare('SELECT * FROM attempts WHERE seq = ? ORDER BY attempt');
  const events = database.prepare('SELECT * FROM events WHERE seq = ? ORDER BY attempt, event_seq');
  const notifications = database.prepare(
    "SELECT * FROM events WHERE seq = ? AND type = 'notification' ORDER BY attempt, event_seq",
  );
  const checkpoint = database.prepare('SELECT data FROM checkpoints WHERE seq = ?');
  const runners = database.prepare('SELECT id, record FROM runners ORDER BY id');
  const records = database.prepare('SELECT id, record FROM records WHERE collection = ? ORDER BY id');
  const statements: ListStatements = {
    byNumber: database.prepare(`${JOINED} WHERE j.seq < ? ORDER BY j.seq DESC LIMIT ?`),
    completed: database.prepare(
      `${JOINED} WHERE j.seq < ? AND e.status = 'completed' ORDER BY j.seq DESC LIMIT ?`,
    ),
    notCompleted: database.prepare(
      `SELECT ${JOB_COLUMNS} FROM ends e INDEXED BY ends_that_failed CROSS JOIN jobs j ON j.seq = e.seq
       WHERE e.status <> 'completed' AND e.status = ? AND e.seq < ? ORDER BY e.seq DESC LIMIT ?`,
    ),
  };
  return {
    loadJob: async (id) => {
      const row = byId.get(id);
      return row === undefined ? undefined : toJob(row);
    },
    loadJobs: async (seqs) => seqs.flatMap((seq) => bySeq.all(seq).map(toJob)),
    loadCheckpoint: async (seq) => {
      const row = checkpoint.get(seq);
      return row === undefined ? undefined : text(row, 'data');
    },
    loadNotifications: async (seq) => notifications.all(seq).map(toEvent),
    loadHistory: async (seq) => loadHistory(attempts, events, seq),
    listJobs: (query) => pageOfJobs(query, (page, limit) => rowsOf(statements, page, limit)),
    unfinishedJobs: async ({ after, limit }) => unfinished.all(after, limit).map(toJob),
    loadRunners: async () => runners.all().map(toRecord),
    loadRecords: async (collection) => records.all(collection).map(toRecord),
  };
}
