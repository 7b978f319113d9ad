import type postgres from 'postgres';
import type { PostgresAddress } from './postgres-url.js';
import type { Row } from './stored-rows.js';

/** What a statement may be given. */
export type PostgresValue = string | number | null | readonly (string | number | null)[];

/** Carries out one statement and resolves to its rows. */
export type PostgresQuery = (statement: string, values?: readonly PostgresValue[]) => Promise<Row[]>;

/** A database that is reached by a few connections, made when they are needed and again when they were lost. */
export interface PostgresDatabase {
  readonly query: PostgresQuery;
  /**
   * Carries out statements one after the other, over a connection of their own: the next is on its way while one is
   * carried out.
   */
  readonly queryInOrder: PostgresQuery;
  /** All statements or none. Those that are given at once share a round trip. */
  transaction<T>(work: (query: PostgresQuery) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export interface PostgresOptions {
  /** False: a commit does not wait for the server's disk. */
  readonly waitsForDisk: boolean;
  /** How long an answer may take before the connections are taken for dead. Default: 20 s. */
  readonly answerMs?: number;
}

const CONNECTIONS = 6;
const CONNECT_SECONDS = 10;
const RECONNECT_SECONDS = 0.25;
const ANSWER_MS = 20_000;
const GOODBYE_SECONDS = 2;

type Sql = postgres.Sql;

async function connector(
  address: PostgresAddress,
  { waitsForDisk }: PostgresOptions,
): Promise<(connections: number) => Sql> {
  const { default: connect } = await import('postgres');
  return (connections) =>
    connect(address.url, {
      max: connections,
      connect_timeout: CONNECT_SECONDS,
      backoff: () => RECONNECT_SECONDS,
      prepare: address.prepares,
      // Asked for by the driver where nobody catches it, as each connection is made: a connection that is ended then would
      // end the process. Arrays go as texts.
      fetch_types: false,
      onnotice: () => undefined,
      connection: {
        application_name: 'jobforge',
        search_path: address.schema,
        ...(waitsForDisk ? {} : { synchronous_commit: 'off' }),
      },
    });
}

/** An array in the server's own notation. */
function asText(value: PostgresValue): string | number | null {
  if (value === null || typeof value !== 'object') return value;
  const cells = value.map((cell) =>
    typeof cell === 'string' ? `"${cell.replace(/["\\]/g, '\\$&')}"` : (cell ?? 'NULL'),
  );
  return `{${cells.join(',')}}`;
}

function queryOf(sql: Sql | postgres.TransactionSql): PostgresQuery {
  return async (statement, values = []) =>
    await sql.unsafe<Row[]>(statement, values.map(asText), { prepare: values.length > 0 });
}

/** SQLSTATE 57P01 to 57P05, after which the server ends the connection, and 08; the driver's own, such as CONNECTION_CLOSED; those of sockets, such as ECONNRESET. */
const OF_CONNECTION = /^(57P0.|08...|CONNECT\w+|E[A-Z]+)$/;

/** Whether a statement failed with its connection, rather than by itself: what became of it is not known. */
export function isOfConnection(error: unknown): error is Error {
  return error instanceof Error && 'code' in error && OF_CONNECTION.test(String(error.code));
}

/**
 * All statements or none. The driver writes to a socket that is gone, in a turn of its own where nobody catches it,
 * whatever is asked of a connection after it was lost, its own ROLLBACK among it: porsager/postgres issue 1208. So
 * nothing is: what goes on in the transaction waits for ever, and who waits for it is told by the driver.
 */
function transactionOf<T>(sql: Sql, work: (query: PostgresQuery) => Promise<T>): Promise<T> {
  let isOver = false;
  const never = (): Promise<never> => new Promise(() => undefined);
  const begun = sql.begin((inner) => {
    const query = queryOf(inner);
    return work((statement, values) =>
      isOver
        ? never()
        : query(statement, values).catch((error: unknown) => {
            if (isOfConnection(error)) return never();
            throw error;
          }),
    );
  }) as Promise<T>;
  return begun.finally(() => (isOver = true));
}

/** Some connections to the same server. */
function openPool(connect: () => Sql, answerMs: number): Omit<PostgresDatabase, 'queryInOrder'> {
  let sql = connect();

  /** A network that swallows packets says nothing for a quarter of an hour: what waits is told earlier. */
  const answered = async <T>(asked: Sql, answer: Promise<T>): Promise<T> => {
    let timer: NodeJS.Timeout | undefined;
    const overdue = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        if (asked === sql) sql = connect();
        asked.end({ timeout: 0 }).catch(() => undefined);
        const overdue = new Error(`PostgreSQL did not answer within ${answerMs} ms.`);
        reject(Object.assign(overdue, { code: 'ETIMEDOUT' }));
      }, answerMs);
    });
    try {
      return await Promise.race([answer, overdue]);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    query: (statement, values) => answered(sql, queryOf(sql)(statement, values)),
    transaction: (work) => answered(sql, transactionOf(sql, work)),
    close: () => sql.end({ timeout: GOODBYE_SECONDS }),
  };
}

/** Connects when the first statement comes. */
export async function openPostgres(
  address: PostgresAddress,
  { answerMs = ANSWER_MS, ...options }: PostgresOptions,
): Promise<PostgresDatabase> {
  const connect = await connector(address, options);
  const pool = openPool(() => connect(CONNECTIONS), answerMs);
  const line = openPool(() => connect(1), answerMs);
  return {
    ...pool,
    queryInOrder: line.query,
    async close() {
      await Promise.all([pool.close(), line.close()]);
    },
  };
}
