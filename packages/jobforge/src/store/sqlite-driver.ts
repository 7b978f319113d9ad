/** The part of a prepared statement that this package uses. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: SqliteValue[]): Record<string, unknown> | undefined;
  all(...values: SqliteValue[]): Record<string, unknown>[];
}

export type SqliteValue = string | number | null;

/** The part of the `node:sqlite` API that this package uses. */
export interface SqliteDatabase {
  exec(sql: string): void;
  prepare(sql: string): SqliteStatement;
  close(): void;
}

interface SqliteModule {
  DatabaseSync: new (location: string) => SqliteDatabase;
}

const BUILT_IN = 'node:sqlite';

/** Built into Node from 22.13 on; before that the same API comes from a package with prebuilt binaries. */
function isBuiltIn(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 13);
}

/** Opens a database with whichever driver this Node has. */
export async function openSqlite(location: string): Promise<SqliteDatabase> {
  const { DatabaseSync } = isBuiltIn(process.versions.node)
    ? ((await import(BUILT_IN)) as SqliteModule)
    : ((await import('@photostructure/sqlite')) as unknown as SqliteModule);
  return new DatabaseSync(location);
}
