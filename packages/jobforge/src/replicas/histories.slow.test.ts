import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openPostgresStore } from '../store/postgres-store.js';
import { closeHistories, problemsOfHistory } from '../testing/history-checks.js';
import { histories } from '../testing/history-steps.fixture.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';

/** As many as fit into a minute, of a thousand. */
const BUDGET_MS = 60_000;

describe.skipIf(missingPostgres() !== undefined)('whatever happens over PostgreSQL', () => {
  let cluster: PostgresCluster;
  beforeAll(async () => {
    cluster = await startPostgres();
  });
  afterAll(async () => {
    await closeHistories();
    await cluster.stop();
  });

  it('a job ends once, nothing acknowledged is lost and nothing is written twice', async () => {
    const open = () => openPostgresStore({ url: cluster.newUrl() });
    let count = 0;
    const property = fc.asyncProperty(histories, async (steps) => {
      expect(await problemsOfHistory(steps, () => 0.5, open)).toEqual([]);
      count += 1;
    });
    await fc.assert(property, { numRuns: 1_000, seed: 7, interruptAfterTimeLimit: BUDGET_MS });
    expect(count).toBeGreaterThan(10);
  });
});
