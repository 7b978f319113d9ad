import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { openPostgres } from './postgres-driver.js';
import { openPostgresStore } from './postgres-store.js';
import { readPostgresUrl } from './postgres-url.js';
import { insertion } from './sample-operations.fixture.js';
import { storeSuite } from './store.suite.js';

describe.skipIf(missingPostgres() !== undefined)('PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterAll(() => cluster.stop());

  storeSuite('PostgreSQL', () => openPostgresStore({ url: cluster.newUrl() }));
  storeSuite('PostgreSQL without named statements', () =>
    openPostgresStore({ url: `${cluster.newUrl()}&prepare=false` }),
  );

  it('keeps what was committed, and is brought up to date once by several that open it at a time', async () => {
    const url = cluster.newUrl();
    const stores = await Promise.all([1, 2, 3, 4].map(() => openPostgresStore({ url })));
    const [first, second] = stores;
    await first?.commit([insertion('a')]);
    expect(await second?.loadJob('a')).toMatchObject({ id: 'a' });
    expect(await second?.commit([insertion('a')])).toEqual(['exists']);
    for (const store of stores) await store.close();
    const again = await openPostgresStore({ url });
    expect(await again.loadJob('a')).toMatchObject({ id: 'a' });
    await again.close();
  });

  it('refuses a schema of a newer version', async () => {
    const url = cluster.newUrl();
    await (await openPostgresStore({ url })).close();
    const database = await openPostgres(readPostgresUrl(url), { waitsForDisk: true });
    await database.query('UPDATE store_version SET version = 99');
    await database.close();
    await expect(openPostgresStore({ url })).rejects.toThrow(/store version 99.*newer JobForge/);
  });

  it('is of one mind about a chain that several append to', async () => {
    const url = cluster.newUrl();
    const stores = await Promise.all([1, 2].map(() => openPostgresStore({ url })));
    const link = { kind: 'append-link', chain: 'c', at: 1, record: '1' } as const;
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, turn) => (await stores[turn % 2]?.commit([link, link])) ?? []),
    );
    const seqs = outcomes.flat().map((outcome) => (typeof outcome === 'object' ? outcome.seq : 0));
    expect(seqs.sort((one, other) => one - other)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    );
    for (const store of stores) await store.close();
  });

  it('takes the same ids from two sides in whatever order', async () => {
    const url = cluster.newUrl();
    const stores = await Promise.all([1, 2].map(() => openPostgresStore({ url })));
    const ids = Array.from({ length: 200 }, (_, index) => `job-${index}`);
    const [up = [], down = []] = await Promise.all([
      stores[0]?.commit(ids.map((id) => insertion(id))),
      stores[1]?.commit([...ids].reverse().map((id) => insertion(id))),
    ]);
    expect([...up, ...down].filter((outcome) => outcome === 'exists')).toHaveLength(200);
    for (const store of stores) await store.close();
  });

  it('gives the same job the same text back, whatever characters it has', async () => {
    const store = await openPostgresStore({ url: cluster.newUrl() });
    const input = JSON.stringify({ text: 'snow ☃ 😀 nul \u0000 quote " tab \t back \\ {a,b} NULL' });
    await store.commit([
      insertion('a', { input, type: 'NULL' }),
      insertion('b', { input: '"{}"', type: '' }),
    ]);
    expect(await store.loadJob('a')).toMatchObject({ input, type: 'NULL' });
    expect(await store.loadJob('b')).toMatchObject({ input: '"{}"', type: '' });
    await store.close();
  });

  it.each([
    ['nothing', ''],
    ['what stands between two of them', 'one\u001ether'],
    ['what stands for none', '\u001f'],
  ])('gives a text back that is %s', async (_, type) => {
    const store = await openPostgresStore({ url: cluster.newUrl() });
    await store.commit([insertion('alone', { type })]);
    await store.commit([insertion('first', { type, lease: 'held' }), insertion('second')]);
    expect(await store.loadJob('alone')).toMatchObject({ type, lease: undefined });
    expect(await store.loadJob('first')).toMatchObject({ type, lease: 'held' });
    expect(await store.loadJob('second')).toMatchObject({ type: 'kind.a', lease: undefined });
    await store.close();
  });
});

describe('a PostgreSQL store that cannot be reached', () => {
  it('is refused in one sentence without its password', async () => {
    const url = 'postgres://user:hunter2@127.0.0.1:1/jobs';
    const refusal = await openPostgresStore({ url }).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      envelope: {
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining(
          'PostgreSQL at postgres://127.0.0.1:1/jobs cannot be used',
        ) as string,
        retryable: false,
      },
    });
    expect(JSON.stringify(refusal)).not.toContain('hunter2');
  });
});
