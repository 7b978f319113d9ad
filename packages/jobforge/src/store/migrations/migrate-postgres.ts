import type { PostgresDatabase, PostgresQuery } from '../postgres-driver.js';
import type { PostgresAddress } from '../postgres-url.js';
import { POSTGRES_001 } from './postgres-001.js';
import { POSTGRES_002 } from './postgres-002.js';
import { POSTGRES_003 } from './postgres-003.js';
import { POSTGRES_004 } from './postgres-004.js';
import { POSTGRES_005 } from './postgres-005.js';

/** In order, forward only; the row of `store_version` counts how many a schema has been through. */
const MIGRATIONS: readonly (readonly string[])[] = [
  statementsOf(POSTGRES_001),
  statementsOf(POSTGRES_002),
  statementsOf(POSTGRES_003),
  [POSTGRES_004],
  statementsOf(POSTGRES_005),
];

/** Taken by whoever looks at the version, so that of several that start at once one migrates. "JobForge" in bytes. */
const LOCK = '5363613735878551397';

function statementsOf(migration: string): string[] {
  return migration.split(/;\s*\n/).filter((statement) => statement.trim() !== '');
}

async function versionOf(query: PostgresQuery): Promise<number> {
  await query('CREATE TABLE IF NOT EXISTS store_version (version INTEGER NOT NULL)');
  const [row] = await query('SELECT version FROM store_version');
  if (row === undefined) await query('INSERT INTO store_version VALUES (0)');
  return Number(row?.['version'] ?? 0);
}

/** A user who may not make schemas can still use one that is there. */
async function makeSchema(query: PostgresQuery, schema: string): Promise<void> {
  const [there] = await query('SELECT 1 AS there FROM pg_namespace WHERE nspname = $1', [schema]);
  if (there === undefined) await query(`CREATE SCHEMA ${schema}`);
}

/**
 * Brings a schema up to this version of the code.
 * @throws Error when the schema was written by a newer version
 */
export async function migratePostgres(database: PostgresDatabase, address: PostgresAddress): Promise<void> {
  await database.transaction(async (query) => {
    await query(`SELECT pg_advisory_xact_lock(${LOCK})`);
    await makeSchema(query, address.schema);
    const version = await versionOf(query);
    if (version > MIGRATIONS.length) {
      throw new Error(
        `The schema ${address.schema} of ${address.shown} has store version ${version}; this JobForge knows versions ` +
          `up to ${MIGRATIONS.length}. It was written by a newer JobForge: start that one, or name another schema ` +
          'with ?schema=.',
      );
    }
    for (const migration of MIGRATIONS.slice(version)) {
      for (const statement of migration) await query(statement);
    }
    await query(`UPDATE store_version SET version = ${MIGRATIONS.length}`);
  });
}
