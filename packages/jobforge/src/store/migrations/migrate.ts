import type { SqliteDatabase } from '../sqlite-driver.js';
import { MIGRATION_001 } from './migration-001.js';
import { MIGRATION_002 } from './migration-002.js';
import { MIGRATION_003 } from './migration-003.js';
import { MIGRATION_004 } from './migration-004.js';

/** In order, forward only; a file's `user_version` counts how many it has been through. */
const MIGRATIONS: readonly string[] = [MIGRATION_001, MIGRATION_002, MIGRATION_003, MIGRATION_004];

/**
 * Brings a database up to this version of the code.
 * @throws Error when the database was written by a newer version
 */
export function migrate(database: SqliteDatabase, location: string): void {
  const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length) {
    throw new Error(
      `${location} has store version ${version}; this JobForge knows versions up to ${MIGRATIONS.length}. ` +
        'It was written by a newer JobForge: start that one, or use another data folder.',
    );
  }
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${index + 1}; COMMIT;`);
  }
}
