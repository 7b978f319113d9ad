/** Where a PostgreSQL store is. */
export interface PostgresAddress {
  /** For the driver. Holds the password: never shown. */
  readonly url: string;
  /** The schema that holds the tables. */
  readonly schema: string;
  /** Whether the server reads statements that are prepared by name; not behind a pooler of transactions. */
  readonly prepares: boolean;
  /** For people: neither user nor password. */
  readonly shown: string;
}

const DEFAULT_SCHEMA = 'jobforge';
const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

/** Whether a store's name is the URL of a PostgreSQL database. */
export function isPostgresUrl(store: string): boolean {
  return /^postgres(ql)?:\/\//.test(store);
}

/**
 * Reads `postgres://user:password@host:port/database`. Of the parameters `schema` (default: `jobforge`) and `prepare`
 * are JobForge's own; others, such as `sslmode`, are the driver's.
 * @throws TypeError that repeats nothing of the URL, which may hold a password
 */
export function readPostgresUrl(store: string): PostgresAddress {
  const url = URL.canParse(store) ? new URL(store) : undefined;
  if (url === undefined || !isPostgresUrl(store)) {
    throw new TypeError(
      'the PostgreSQL URL of the store cannot be read: expected postgres://user:password@host:5432/database, ' +
        'with characters such as @ and / of a password percent-encoded',
    );
  }
  const schema = url.searchParams.get('schema') ?? DEFAULT_SCHEMA;
  if (!SCHEMA_NAME.test(schema)) {
    throw new TypeError(
      `the schema ${JSON.stringify(schema)} cannot be used: expected a-z, 0-9 and _, at most 63 characters, no digit first`,
    );
  }
  const prepares = url.searchParams.get('prepare') !== 'false';
  url.searchParams.delete('schema');
  url.searchParams.delete('prepare');
  const host = url.hostname === '' ? (url.searchParams.get('host') ?? 'localhost') : url.host;
  return { url: url.href, schema, prepares, shown: `postgres://${host}${url.pathname}` };
}
