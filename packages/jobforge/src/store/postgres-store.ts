import { JobForgeError } from '../model/job-forge-error.js';
import { migratePostgres } from './migrations/migrate-postgres.js';
import { openPostgres, type PostgresDatabase } from './postgres-driver.js';
import { postgresChains } from './postgres-links.js';
import { postgresPrune } from './postgres-prune.js';
import { postgresReads } from './postgres-reads.js';
import { joinReplicas } from './postgres-replicas.js';
import { readPostgresUrl, type PostgresAddress } from './postgres-url.js';
import { postgresCommit } from './postgres-writes.js';
import type { ReplicaStore } from './replica-store.js';
import type { Store } from './store.js';

export interface PostgresStoreOptions {
  /** `postgres://user:password@host:5432/database`. */
  readonly url: string;
  /**
   * `full` (default) waits for the server's disk as the server is set up to; `normal` may lose the last commits when
   * the server fails.
   */
  readonly durability?: 'full' | 'normal';
}

function unavailable({ shown }: PostgresAddress, error: Error): JobForgeError {
  return new JobForgeError('STORE_UNAVAILABLE', {
    message: `PostgreSQL at ${shown} cannot be used: ${error.message}`,
    remedy: 'Check that it runs and that the URL, its user and password are right.',
    retryable: false,
    causes: [{ name: error.name, message: error.message }],
  });
}

/** Failures of the server or the way to it, which its driver gives a code; others say by themselves what is wrong. */
function isOfServer(error: unknown): error is Error {
  return error instanceof Error && ('code' in error || error instanceof AggregateError);
}

async function prepare(database: PostgresDatabase, address: PostgresAddress): Promise<void> {
  try {
    await migratePostgres(database, address);
  } catch (error) {
    await database.close();
    throw isOfServer(error) ? unavailable(address, error) : error;
  }
}

/**
 * Opens a store in a schema of a PostgreSQL database.
 * @throws JobForgeError STORE_UNAVAILABLE when the database cannot be reached or refuses; TypeError when the URL cannot
 * be read; Error with one clear sentence when a newer version wrote the schema
 */
export async function openPostgresStore({ url, durability = 'full' }: PostgresStoreOptions): Promise<Store> {
  const address = readPostgresUrl(url);
  const database = await openPostgres(address, { waitsForDisk: durability === 'full' });
  await prepare(database, address);
  let replica: ReplicaStore | undefined;
  return {
    commit: postgresCommit(database, () => replica?.id),
    shared: {
      join: async () => (replica = await joinReplicas({ database, address })),
    },
    ...postgresReads(database.query),
    ...postgresChains(database),
    prune: postgresPrune(database),
    close: () => database.close(),
  };
}
