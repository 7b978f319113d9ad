import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { closeHistories, problemsOfHistory } from '../testing/history-checks.js';
import { histories, type HistoryStep } from '../testing/history-steps.fixture.js';

afterAll(closeHistories);

describe('whatever happens', () => {
  it('a job ends once, nothing acknowledged is lost and nothing is written twice: 300 histories', async () => {
    const property = fc.asyncProperty(histories, async (steps) => {
      expect(await problemsOfHistory(steps, () => 0.5)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 300, seed: 20_261_121 });
  }, 120_000);

  it('what writes and is not ended in time, neither by its runner, is not offered again', async () => {
    const [runner, execution] = [0, 0];
    const steps: HistoryStep[] = [
      { kind: 'connect', runner },
      { kind: 'submit', capability: 2 },
      { kind: 'settle' },
      { kind: 'accept', runner, execution },
      ...[1, 2, 3].map((): HistoryStep => ({ kind: 'advance', ms: 25_000 })),
      { kind: 'accept', runner, execution },
    ];
    expect(await problemsOfHistory(steps, () => 0.5)).toEqual([]);
  });

  it('the end of a job that is cancelled around a restart stands after what its runner had logged', async () => {
    const [runner, execution, job] = [0, 0, 0];
    const steps: HistoryStep[] = [
      { kind: 'submit', capability: 0 },
      { kind: 'connect', runner },
      { kind: 'accept', runner, execution },
      { kind: 'resubmit', job },
      { kind: 'accept', runner, execution },
      { kind: 'accept', runner, execution },
      { kind: 'log', runner, execution },
      { kind: 'settle' },
      { kind: 'restart' },
      { kind: 'connect', runner },
      { kind: 'advance', ms: 100 },
      { kind: 'crash', runner, told: false },
      { kind: 'cancel', job },
      { kind: 'settle' },
      { kind: 'mute', runner },
    ];
    expect(await problemsOfHistory(steps, () => 0.5)).toEqual([]);
  });
});
