import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { JobForgeError } from '../model/job-forge-error.js';
import { withEndRecords } from './end-records.js';
import { migrate } from './migrations/migrate.js';
import { openSqlite, type SqliteDatabase } from './sqlite-driver.js';
import { asSqliteFailure } from './sqlite-failure.js';
import { sqliteChains } from './sqlite-links.js';
import { sqlitePrune } from './sqlite-prune.js';
import { sqliteReads } from './sqlite-reads.js';
import { sqliteWrites } from './sqlite-writes.js';
import type { Outcome, Store, WrittenOperation } from './store.js';

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
/** Pages written before a checkpoint that failed is tried again. */
const CHECKPOINT_RETRY_PAGES = 400;
/** Pages that forgetting one job changes. */
const PAGES_PER_PRUNED = 6;

const PRAGMAS = `
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA journal_size_limit = -1;
PRAGMA wal_autocheckpoint = 0;
PRAGMA foreign_keys = OFF;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -65536;
`;

/** An estimate of what an operation adds to the WAL: enough to keep it from growing. */
function pagesOf(operation: WrittenOperation): number {
  if (operation.kind === 'insert-job') return 1 + (operation.head.length + operation.input.length) / 4096;
  if (operation.kind === 'put-checkpoint') return 1 + operation.data.length / 4096;
  if (operation.kind === 'append-link') return 1 + operation.record.length / 4096;
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
      throw new JobForgeError('STORE_UNAVAILABLE', {
        message: `${location} is in use by another JobForge.`,
        remedy: 'Stop that one, or choose another data folder.',
        retryable: false,
        causes: [{ name: error.name, message: error.message }],
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
    database.exec(
      'PRAGMA journal_mode = DELETE; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM runners;',
    );
  } finally {
    database.close();
  }
}

/** Makes the file and its folder, where they are not there, for this user alone. SQLite gives its other files the file's mode. */
function makeOwn(location: string): void {
  mkdirSync(dirname(location), { recursive: true, mode: 0o700 });
  closeSync(openSync(location, 'a', 0o600));
}

/**
 * Opens a store over one SQLite file that this process alone uses.
 * @throws JobForgeError STORE_UNAVAILABLE when another process has the file; Error with one clear sentence when a newer
 * version wrote it
 */
export async function openSqliteStore({ location, durability = 'full' }: SqliteStoreOptions): Promise<Store> {
  if (location !== ':memory:') makeOwn(location);
  const database = await open(location);
  database.exec(`PRAGMA synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`);
  const write = sqliteWrites(database);
  const [begin, end, undo] = ['BEGIN IMMEDIATE', 'COMMIT', 'ROLLBACK'].map((sql) => database.prepare(sql));
  const checkpoint = database.prepare('PRAGMA wal_checkpoint(RESTART)');
  const prune = sqlitePrune(database);
  let pagesSinceCheckpoint = 0;

  const rollBack = (): void => {
    try {
      undo?.run();
    } catch {
      // Where its disk is full or fails, the engine has rolled back by itself, and says so.
    }
  };
  const commit = (batch: readonly WrittenOperation[]): readonly Outcome[] => {
    try {
      begin?.run();
      const outcomes = batch.map(write);
      end?.run();
      return outcomes;
    } catch (error) {
      rollBack();
      throw asSqliteFailure(error);
    }
  };

  /** What was committed stays committed when the log cannot be folded back now: the next commit tries again. */
  const tidy = (batch: readonly WrittenOperation[]): void => {
    pagesSinceCheckpoint += batch.reduce((pages, operation) => pages + pagesOf(operation), 2);
    if (pagesSinceCheckpoint < WAL_PAGES) return;
    try {
      checkpoint.all();
      pagesSinceCheckpoint = 0;
    } catch {
      pagesSinceCheckpoint = WAL_PAGES - CHECKPOINT_RETRY_PAGES;
    }
  };

  return {
    // The engine is synchronous; the interface is not, so that others can implement it.
    async commit(asked) {
      const batch = withEndRecords(asked);
      const outcomes = commit(batch);
      tidy(batch);
      return outcomes;
    },
    ...sqliteReads(database),
    ...sqliteChains(database),
    async prune(query) {
      const pruned = await prune(query);
      pagesSinceCheckpoint += PAGES_PER_PRUNED * pruned;
      return pruned;
    },
    close: async () => closeDatabase(database),
  };
}
