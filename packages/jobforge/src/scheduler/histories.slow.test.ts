import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { closeHistories, problemsOfHistory } from '../testing/history-checks.js';
import { histories } from '../testing/history-steps.fixture.js';

afterAll(closeHistories);

describe('whatever happens', () => {
  // A tenth each, so that what fails is found again without all that came before it.
  it.each(Array.from({ length: 10 }, (_, seed) => [seed]))(
    'a job ends once, nothing acknowledged is lost and nothing is written twice: 1,000 histories of seed %i',
    async (seed) => {
      const property = fc.asyncProperty(histories, async (steps) => {
        expect(await problemsOfHistory(steps, () => 0.5)).toEqual([]);
      });
      await fc.assert(property, { numRuns: 1_000, seed });
    },
  );
});
