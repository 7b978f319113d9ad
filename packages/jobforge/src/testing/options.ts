/** What the environment says about the PostgreSQL server of the tests. */
export interface TestServerOptions {
  /** A server that is there, whose database may be filled with schemas. */
  readonly databaseUrl: string | undefined;
  /** Folders in which programs are looked for. */
  readonly path: readonly string[];
  /** A server is required: tests that need one are not skipped. */
  readonly required: boolean;
}

export function testServerOptions(): TestServerOptions {
  const { DATABASE_URL: databaseUrl, PATH: path = '', CI: ci } = process.env;
  return { databaseUrl, path: path.split(':'), required: ci === 'true' };
}
