import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openSqliteStore } from '../store/sqlite-store.js';
import { problemsOfTokens } from '../testing/token-histories.fixture.js';
import { tokenHistories } from '../testing/token-steps.fixture.js';

describe('whatever becomes of enrollment tokens and runner secrets', () => {
  it('each is good exactly while it may be, after a restart too: 200 histories', async () => {
    const store = await openSqliteStore({ location: ':memory:' });
    onTestFinished(() => store.close());
    const property = fc.asyncProperty(tokenHistories, async (steps) => {
      expect(await problemsOfTokens(steps, store)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 200, seed: 20_261_122 });
  });
});
