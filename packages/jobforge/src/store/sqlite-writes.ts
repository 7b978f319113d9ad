import { sqliteLinkWriter } from './sqlite-links.js';
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './sqlite-driver.js';
import type { InsertJob, Outcome, WrittenOperation } from './store.js';

/** What a statement that has nothing to tell comes to. */
function run(statement: SqliteStatement, ...values: SqliteValue[]): Outcome {
  statement.run(...values);
  return 'done';
}

const orNull = (value: string | number | undefined): SqliteValue => value ?? null;

type Writers = {
  readonly [K in WrittenOperation['kind']]: (operation: Extract<WrittenOperation, { kind: K }>) => Outcome;
};

function insertJob(insert: SqliteStatement, job: InsertJob): Outcome {
  const { id, type, head, input, createdAt, state, lease } = job;
  const result = insert.run(id, type, head, input, createdAt, state, orNull(lease));
  return Number(result.changes) === 0 ? 'exists' : { seq: Number(result.lastInsertRowid) };
}

/** The end of a job becomes that of an attempt: of one that is told already, only its last word is another. */
function reopenWriter(prepare: (sql: string) => SqliteStatement): Pick<Writers, 'reopen-job'> {
  const keepEnd = prepare(
    `INSERT INTO attempts SELECT seq, attempt, event_seq, COALESCE(started_at, ended_at), ended_at, ?,
       CASE WHEN started_at IS NULL THEN '' ELSE COALESCE(runner_id, '') END, COALESCE(execution_id, ''), error
     FROM ends WHERE seq = ? AND status <> 'completed' AND error IS NOT NULL
     ON CONFLICT (seq, attempt) DO UPDATE SET event_seq = excluded.event_seq, ended_at = excluded.ended_at,
       next_at = excluded.next_at, error = excluded.error`,
  );
  const requeue = prepare(
    `UPDATE jobs SET state = 'queued', lease = NULL, cancel = NULL, retries = 0, next_at = ?,
       (attempt, error) = (SELECT attempt, error FROM ends WHERE ends.seq = jobs.seq) WHERE seq = ?`,
  );
  const removeEnd = prepare('DELETE FROM ends WHERE seq = ?');
  return {
    'reopen-job': ({ seq, at }) => {
      if (Number(keepEnd.run(at, seq).changes) === 0) return 'superseded';
      requeue.run(at, seq);
      return run(removeEnd, seq);
    },
  };
}

type HistoryWriters = Pick<Writers, 'add-event' | 'remove-event' | 'put-checkpoint' | 'remove-checkpoint'>;

/** What happens while a job runs. */
function historyWriters(prepare: (sql: string) => SqliteStatement): HistoryWriters {
  const event = prepare('INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?)');
  const removeEvent = prepare('DELETE FROM events WHERE seq = ? AND attempt = ? AND event_seq = ?');
  const putCheckpoint = prepare('INSERT OR REPLACE INTO checkpoints VALUES (?, ?)');
  const removeCheckpoint = prepare('DELETE FROM checkpoints WHERE seq = ?');

  return {
    'add-event': (added) =>
      run(event, added.seq, added.attempt, added.eventSeq, added.at, added.type, added.data),
    'remove-event': (removed) => run(removeEvent, removed.seq, removed.attempt, removed.eventSeq),
    'put-checkpoint': (checkpoint) => run(putCheckpoint, checkpoint.seq, checkpoint.data),
    'remove-checkpoint': (checkpoint) => run(removeCheckpoint, checkpoint.seq),
  };
}

function recordWriters(
  prepare: (sql: string) => SqliteStatement,
): Pick<Writers, 'put-record' | 'remove-record'> {
  const put = prepare('INSERT OR REPLACE INTO records VALUES (?, ?, ?)');
  const add = prepare('INSERT OR IGNORE INTO records VALUES (?, ?, ?)');
  const replace = prepare('UPDATE records SET record = ? WHERE collection = ? AND id = ? AND record = ?');
  const remove = prepare('DELETE FROM records WHERE collection = ? AND id = ?');
  const removeText = prepare('DELETE FROM records WHERE collection = ? AND id = ? AND record = ?');
  const changed = ({ changes }: { readonly changes: number | bigint }): Outcome =>
    Number(changes) === 0 ? 'superseded' : 'done';

  return {
    'put-record': ({ collection, id, record, replaces }) => {
      if (replaces === undefined) return run(put, collection, id, record);
      if (replaces === null) return changed(add.run(collection, id, record));
      return changed(replace.run(record, collection, id, replaces));
    },
    'remove-record': ({ collection, id, replaces }) =>
      replaces === undefined
        ? run(remove, collection, id)
        : changed(removeText.run(collection, id, replaces)),
  };
}

function writersOf(database: SqliteDatabase): Writers {
  const prepare = (sql: string): SqliteStatement => database.prepare(sql);
  const insert = prepare(
    'INSERT INTO jobs (id, type, head, input, created_at, state, lease) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  );
  const lease = prepare('UPDATE jobs SET lease = ? WHERE seq = ?');
  const retry = prepare(
    "UPDATE jobs SET state = 'retrying', lease = NULL, attempt = ?, retries = ?, next_at = ?, error = ? WHERE seq = ?",
  );
  const attempt = prepare('INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const cancel = prepare('UPDATE jobs SET cancel = ? WHERE seq = ?');
  const finish = prepare('INSERT OR IGNORE INTO ends VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const putRunner = prepare('INSERT OR REPLACE INTO runners VALUES (?, ?)');
  const removeRunner = prepare('DELETE FROM runners WHERE id = ?');

  return {
    ...historyWriters(prepare),
    ...recordWriters(prepare),
    ...reopenWriter(prepare),
    'append-link': sqliteLinkWriter(database),
    'insert-job': (job) => insertJob(insert, job),
    'lease-job': (job) => run(lease, orNull(job.lease), job.seq),
    'retry-job': (job) => {
      run(retry, job.attempt, job.retries, job.nextAt, job.error, job.seq);
      const times = [job.startedAt, job.endedAt, job.nextAt] as const;
      return run(
        attempt,
        job.seq,
        job.attempt,
        job.eventSeq,
        ...times,
        job.runnerId,
        job.executionId,
        job.error,
      );
    },
    'cancel-job': (job) => run(cancel, job.reason, job.seq),
    'finish-job': (job) => {
      const where = [
        job.seq,
        job.status,
        job.attempt,
        job.eventSeq,
        orNull(job.startedAt),
        job.endedAt,
      ] as const;
      const who = [orNull(job.runnerId), orNull(job.runnerVersion), orNull(job.executionId)] as const;
      return run(
        finish,
        ...where,
        ...who,
        orNull(job.data),
        orNull(job.error),
        job.dropped,
        job.droppedBytes,
      );
    },
    'put-runner': (runner) => run(putRunner, runner.id, runner.record),
    'remove-runner': (runner) => run(removeRunner, runner.id),
  };
}

/** The writing half of the SQLite store: carries out one operation within the transaction that is open. */
export function sqliteWrites(database: SqliteDatabase): (operation: WrittenOperation) => Outcome {
  const writers = writersOf(database);
  // The table has one writer for each kind; the compiler cannot pair the two.
  return (operation) => (writers[operation.kind] as (operation: WrittenOperation) => Outcome)(operation);
}
