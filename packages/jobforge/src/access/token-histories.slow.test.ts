import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openPostgresStore } from '../store/postgres-store.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { problemsOfTokens } from '../testing/token-histories.fixture.js';
import { tokenHistories } from '../testing/token-steps.fixture.js';

async function play(store: Store, seed: number): Promise<void> {
  onTestFinished(() => store.close());
  const property = fc.asyncProperty(tokenHistories, async (steps) => {
    expect(await problemsOfTokens(steps, store)).toEqual([]);
  });
  await fc.assert(property, { numRuns: 1_000, seed });
}

describe('whatever becomes of enrollment tokens and runner secrets', () => {
  // A tenth each, so that what fails is found again without all that came before it.
  it.each(Array.from({ length: 10 }, (_, seed) => [seed]))(
    'each is good exactly while it may be: 1,000 histories of seed %i',
    async (seed) => play(await openSqliteStore({ location: ':memory:' }), seed),
  );
});

describe.skipIf(missingPostgres() !== undefined)('the same over PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(() => cluster.stop());

  it('each is good exactly while it may be: 1,000 histories', async () => {
    await play(await openPostgresStore({ url: cluster.newUrl() }), 11);
  });
});
