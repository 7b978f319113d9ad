import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { closeHistories, problemsOfHistory } from '../testing/history-checks.js';
import { histories } from '../testing/history-steps.js';

afterAll(closeHistories);

describe('whatever happens', () => {
  it('a job ends once, nothing acknowledged is lost and nothing is written twice: 300 histories', async () => {
    const property = fc.asyncProperty(histories, async (steps) => {
      expect(await problemsOfHistory(steps, () => 0.5)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 300, seed: 20_261_121 });
  }, 120_000);
});
