import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { migrate } from './migrations/migrate.js';
import { openSqlite, type SqliteDatabase, type SqliteStatement, type SqliteValue } from './sqlite-driver.js';
import { sqliteReads } from './sqlite-reads.js';
import type { Outcome, Store, StoreOperation } from './store.js';

export interface SqliteStoreOptions {
  /** A file, made with its folder where it is missing, or `:memory:`. */
  readonly location: string;
  /**
   * `full` (default) survives a power cut; `normal` survives the death of the process, and may lose the last
   * commits in a power cut.
   */
  readonly durability?: 'full' | 'normal';
}

/** Pages of 4 KiB: a WAL of 16 MiB is made once and written over from its start after each checkpoint. */
const WAL_PAGES = 4_000;

const PRAGMAS = `
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA journal_size_limit = -1;
PRAGMA wal_autocheckpoint = 0;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -65536;
`;

const orNull = (value: string | number | undefined): SqliteValue => value ?? null;

type Writers = { readonly [K in StoreOperation['kind']]: (operation: Extract<StoreOperation, { kind: K }>) => Outcome };

function writersOf(database: SqliteDatabase): Writers {
  const prepare = (sql: string): SqliteStatement => database.prepare(sql);
  const run = (statement: SqliteStatement, ...values: SqliteValue[]): Outcome => {
    statement.run(...values);
    return 'done';
  };
  const insert = prepare(
    'INSERT INTO jobs (id, type, head, input, created_at, state, lease) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING',
  );
  const lease = prepare('UPDATE jobs SET lease = ? WHERE seq = ?');
  const retry = prepare(
    "UPDATE jobs SET state = 'retrying', lease = NULL, attempt = ?, retries = ?, next_at = ?, error = ? WHERE seq = ?",
  );
  const attempt = prepare('INSERT OR IGNORE INTO attempts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const cancel = prepare('UPDATE jobs SET cancel = ? WHERE seq = ?');
  const finish = prepare('INSERT OR IGNORE INTO ends VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const event = prepare('INSERT OR IGNORE INTO events VALUES (?, ?, ?, ?, ?, ?)');
  const putRunner = prepare('INSERT OR REPLACE INTO runners VALUES (?, ?)');
  const removeRunner = prepare('DELETE FROM runners WHERE id = ?');

  return {
    'insert-job': (job) => {
      const result = insert.run(job.id, job.type, job.head, job.input, job.createdAt, job.state, orNull(job.lease));
      return Number(result.changes) === 0 ? 'exists' : { seq: Number(result.lastInsertRowid) };
    },
    'lease-job': (job) => run(lease, orNull(job.lease), job.seq),
    'retry-job': (job) => {
      run(retry, job.attempt, job.retries, job.nextAt, job.error, job.seq);
      const times = [job.startedAt, job.endedAt, job.nextAt] as const;
      return run(attempt, job.seq, job.attempt, job.eventSeq, ...times, job.runnerId, job.executionId, job.error);
    },
    'cancel-job': (job) => run(cancel, job.reason, job.seq),
    'finish-job': (job) => {
      const where = [job.seq, job.status, job.attempt, job.eventSeq, orNull(job.startedAt), job.endedAt] as const;
      const who = [orNull(job.runnerId), orNull(job.runnerVersion), orNull(job.executionId)] as const;
      return run(finish, ...where, ...who, orNull(job.data), orNull(job.error), job.dropped);
    },
    'add-event': (added) => run(event, added.seq, added.attempt, added.eventSeq, added.at, added.type, added.data),
    'put-runner': (runner) => run(putRunner, runner.id, runner.record),
    'remove-runner': (runner) => run(removeRunner, runner.id),
  };
}

function writeOne(writers: Writers, operation: StoreOperation): Outcome {
  // The table has one writer for each kind; the compiler cannot pair the two.
  return (writers[operation.kind] as (operation: StoreOperation) => Outcome)(operation);
}

/** An estimate of what an operation adds to the WAL: enough to keep it from growing. */
function pagesOf(operation: StoreOperation): number {
  if (operation.kind === 'insert-job') return 1 + (operation.head.length + operation.input.length) / 4096;
  if (operation.kind === 'finish-job') return 1 + (operation.data?.length ?? 0) / 4096;
  return 1;
}

async function open(location: string): Promise<SqliteDatabase> {
  const database = await openSqlite(location);
  try {
    database.exec(PRAGMAS);
    migrate(database, location);
    return database;
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked/.test(error.message)) {
      throw new Error(`${location} is in use by another JobForge: stop that one, or choose another data folder.`, {
        cause: error,
      });
    }
    throw error;
  }
}

/**
 * Leaves one file behind and gives up its lock, which the package for older Nodes would keep until the prepared
 * statements are garbage.
 */
function closeDatabase(database: SqliteDatabase): void {
  try {
    database.exec('PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM runners;');
  } finally {
    database.close();
  }
}

/**
 * Opens a store over one SQLite file that this process alone uses.
 * @throws Error with one clear sentence when another process has the file, or a newer version wrote it
 */
export async function openSqliteStore({ location, durability = 'full' }: SqliteStoreOptions): Promise<Store> {
  if (location !== ':memory:') mkdirSync(dirname(location), { recursive: true });
  const database = await open(location);
  database.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
  const writers = writersOf(database);
  const [begin, end, undo] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(RESTART)');
  let pagesSinceCheckpoint = 0;

  const commit = (batch: readonly StoreOperation[]): readonly Outcome[] => {
    begin?.run();
    try {
      const outcomes = batch.map((operation) => writeOne(writers, operation));
      end?.run();
      pagesSinceCheckpoint += batch.reduce((pages, operation) => pages + pagesOf(operation), 2);
      if (pagesSinceCheckpoint >= WAL_PAGES) {
        checkpoint.all();
        pagesSinceCheckpoint = 0;
      }
      return outcomes;
    } catch (error) {
      undo?.run();
      throw error;
    }
  };

  return {
    // The engine is synchronous; the interface is not, so that others can implement it.
    commit: async (batch) => commit(batch),
    ...sqliteReads(database),
    close: async () => closeDatabase(database),
  };
}
