import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.js';
import type {
  FinalState,
  FinishJob,
  JobHistory,
  JobPage,
  JobQuery,
  Store,
  StoredAttempt,
  StoredEvent,
  StoredJob,
  StoredRecord,
  StoredState,
} from './store.js';

type Row = Record<string, unknown>;
type Reads = Pick<
  Store,
  | 'loadJob'
  | 'loadJobs'
  | 'loadHistory'
  | 'loadCheckpoint'
  | 'listJobs'
  | 'unfinishedJobs'
  | 'loadRunners'
  | 'loadRecords'
>;

const JOB_COLUMNS = `
  j.seq, j.id, j.type, j.head, j.input, j.created_at, j.state, j.lease, j.attempt, j.retries, j.next_at, j.error, j.cancel,
  e.status AS e_status, e.attempt AS e_attempt, e.event_seq AS e_event_seq, e.started_at AS e_started_at,
  e.ended_at AS e_ended_at, e.runner_id AS e_runner_id, e.runner_version AS e_runner_version,
  e.execution_id AS e_execution_id, e.data AS e_data, e.error AS e_error, e.dropped AS e_dropped,
  e.dropped_bytes AS e_dropped_bytes`;
const JOINED = `SELECT ${JOB_COLUMNS} FROM jobs j LEFT JOIN ends e ON e.seq = j.seq`;

/** Rows that one page looks at for a rare type before it ends short. */
const MAX_ROWS_EXAMINED = 20_000;

const text = (row: Row, column: string): string => String(row[column]);
const number = (row: Row, column: string): number => Number(row[column]);
const textOrNone = (row: Row, column: string): string | undefined =>
  row[column] === null ? undefined : text(row, column);
const numberOrNone = (row: Row, column: string): number | undefined =>
  row[column] === null ? undefined : number(row, column);

function toEnd(row: Row): Omit<FinishJob, 'kind' | 'seq'> | undefined {
  if (row['e_status'] === null) return undefined;
  return {
    status: text(row, 'e_status') as FinalState,
    attempt: number(row, 'e_attempt'),
    eventSeq: number(row, 'e_event_seq'),
    startedAt: numberOrNone(row, 'e_started_at'),
    endedAt: number(row, 'e_ended_at'),
    runnerId: textOrNone(row, 'e_runner_id'),
    runnerVersion: textOrNone(row, 'e_runner_version'),
    executionId: textOrNone(row, 'e_execution_id'),
    data: textOrNone(row, 'e_data'),
    error: textOrNone(row, 'e_error'),
    dropped: number(row, 'e_dropped'),
    droppedBytes: number(row, 'e_dropped_bytes'),
  };
}

function toJob(row: Row): StoredJob {
  return {
    seq: number(row, 'seq'),
    id: text(row, 'id'),
    type: text(row, 'type'),
    head: text(row, 'head'),
    input: text(row, 'input'),
    createdAt: number(row, 'created_at'),
    state: text(row, 'state') as StoredState,
    lease: textOrNone(row, 'lease'),
    attempt: number(row, 'attempt'),
    retries: number(row, 'retries'),
    nextAt: numberOrNone(row, 'next_at'),
    error: textOrNone(row, 'error'),
    cancel: textOrNone(row, 'cancel'),
    end: toEnd(row),
  };
}

const toRecord = (row: Row): StoredRecord => ({ id: text(row, 'id'), record: text(row, 'record') });

const toAttempt = (row: Row): StoredAttempt => ({
  attempt: number(row, 'attempt'),
  eventSeq: number(row, 'event_seq'),
  startedAt: number(row, 'started_at'),
  endedAt: number(row, 'ended_at'),
  nextAt: number(row, 'next_at'),
  runnerId: text(row, 'runner_id'),
  executionId: text(row, 'execution_id'),
  error: text(row, 'error'),
});

const toEvent = (row: Row): StoredEvent => ({
  attempt: number(row, 'attempt'),
  eventSeq: number(row, 'event_seq'),
  at: number(row, 'at'),
  type: text(row, 'type') === 'log' ? 'log' : 'progress',
  data: text(row, 'data'),
});

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

/** One page: rows are examined in rising bites, so that a filter that matches often reads little. */
function listJobs(statements: ListStatements, query: JobQuery): JobPage {
  const jobs: StoredJob[] = [];
  let { before } = query;
  for (let examined = 0; examined < MAX_ROWS_EXAMINED;) {
    const bite = Math.max(query.limit + 1, Math.min(examined, 2_000));
    const rows = rowsOf(statements, { ...query, before }, bite);
    for (const row of rows) {
      if (query.type !== undefined && row['type'] !== query.type) continue;
      if (jobs.length === query.limit) return { jobs, next: jobs.at(-1)?.seq };
      jobs.push(toJob(row));
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < bite) return { jobs, next: undefined };
    before = number(last, 'seq');
    examined += rows.length;
  }
  return { jobs, next: before };
}

function loadHistory(attempts: SqliteStatement, events: SqliteStatement, seq: number): JobHistory {
  return { attempts: attempts.all(seq).map(toAttempt), events: events.all(seq).map(toEvent) };
}

/** The reading half of the SQLite store. */
export function sqliteReads(database: SqliteDatabase): Reads {
  const byId = database.prepare(`${JOINED} WHERE j.id = ?`);
  const bySeq = database.prepare(`${JOINED} WHERE j.seq = ?`);
  const unfinished = database.prepare(`${JOINED} WHERE j.seq > ? AND e.seq IS NULL ORDER BY j.seq LIMIT ?`);
  const attempts = database.prepare('SELECT * FROM attempts WHERE seq = ? ORDER BY attempt');
  const events = database.prepare('SELECT * FROM events WHERE seq = ? ORDER BY attempt, event_seq');
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
    loadHistory: async (seq) => loadHistory(attempts, events, seq),
    listJobs: async (query) => listJobs(statements, query),
    unfinishedJobs: async ({ after, limit }) => unfinished.all(after, limit).map(toJob),
    loadRunners: async () => runners.all().map(toRecord),
    loadRecords: async (collection) => records.all(collection).map(toRecord),
  };
}
