import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { openPostgres, type PostgresDatabase } from './postgres-driver.js';
import { readPostgresUrl } from './postgres-url.js';

describe.skipIf(missingPostgres() !== undefined)('a connection that is lost within a transaction', () => {
  let cluster: PostgresCluster;
  const opened: PostgresDatabase[] = [];
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
  });
  afterAll(() => cluster.stop());

  const open = async (): Promise<PostgresDatabase> => {
    const database = await openPostgres(readPostgresUrl(cluster.newUrl()), { waitsForDisk: true });
    opened.push(database);
    return database;
  };
  const pidOf = async (query: PostgresDatabase['query']): Promise<number> =>
    Number((await query('SELECT pg_backend_pid() AS pid'))[0]?.['pid']);
  const end = async ({ query }: PostgresDatabase, pid: number): Promise<void> => {
    await query('SELECT pg_terminate_backend($1)', [pid]);
    await expect
      .poll(async () => query('SELECT 1 FROM pg_stat_activity WHERE pid = $1', [pid]))
      .toHaveLength(0);
  };

  it.each([
    ['between two statements', 0],
    ['some time before the next statement', 50],
  ])('%s: it is rejected, and the process goes on', async (_, waitMs) => {
    const [database, other] = [await open(), await open()];
    const lost = database.transaction(async (query) => {
      await end(other, await pidOf(query));
      await pause(waitMs);
      return query('SELECT 1');
    });
    await expect(lost).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' });
    // What the driver writes to a socket that is gone it writes in a turn of its own.
    await pause(20);
    expect(await database.query('SELECT 2 AS two')).toMatchObject([{ two: 2 }]);
  });

  it('while a statement runs: it is rejected, and the process goes on', async () => {
    const [database, other] = [await open(), await open()];
    let told = (_pid: number): void => undefined;
    const begun = new Promise<number>((resolve) => (told = resolve));
    const lost = database.transaction(async (query) => {
      told(await pidOf(query));
      return Promise.all([query('SELECT pg_sleep(60)'), query('SELECT 1')]);
    });
    const [, refusal] = await Promise.all([
      begun.then((pid) => end(other, pid)),
      lost.catch((error: unknown) => error),
    ]);
    expect(refusal).toMatchObject({ code: 'CONNECTION_CLOSED' });
    await pause(20);
    expect(await database.query('SELECT 2 AS two')).toMatchObject([{ two: 2 }]);
  });

  it('a statement that is refused rolls its transaction back, and its connection is used again', async () => {
    const database = await open();
    let pid = 0;
    const refused = database.transaction(async (query) => {
      pid = await pidOf(query);
      await query('SELECT 1 / 0');
    });
    await expect(refused).rejects.toMatchObject({ code: '22012' });
    expect(await pidOf(database.query)).toBe(pid);
  });
});
