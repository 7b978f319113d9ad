import { describe, expect, test } from 'vitest';
import { createSeededRandom } from '../../util/seeded-random.js';
import { createFaultPlan, type Faults, type FrameType } from './faults.js';

const passages = (faults: Faults, count = 6, type: FrameType = 'events') => {
  const passage = createFaultPlan(faults, createSeededRandom(1));
  return Array.from({ length: count }, (_, index) =>
    passage({ from: 'runner', type, executionId: 'e', nth: index + 1 }),
  );
};
const copies = (faults: Faults, count?: number): number[] =>
  passages(faults, count).map(({ delaysMs }) => delaysMs.length);

describe('faults', () => {
  test('lose and double every nth message', () => {
    expect(copies({})).toEqual([1, 1, 1, 1, 1, 1]);
    expect(copies({ dropEvery: 3 })).toEqual([1, 1, 0, 1, 1, 0]);
    expect(copies({ duplicateEvery: 2 })).toEqual([1, 2, 1, 2, 1, 2]);
    expect(copies({ dropEvery: 3, duplicateEvery: 2 })).toEqual([1, 2, 0, 2, 1, 0]);
  });

  test('lose and double by chance, the same for the same seed', () => {
    const lost = copies({ dropRate: 0.3 }, 1_000).filter((count) => count === 0).length;
    expect(lost).toBeGreaterThan(250);
    expect(lost).toBeLessThan(350);
    expect(copies({ dropRate: 0.3, duplicateRate: 0.5 }, 50)).toEqual(
      copies({ dropRate: 0.3, duplicateRate: 0.5 }, 50),
    );
  });

  test('delay by a time, or within bounds', () => {
    expect(passages({ delayMs: '2s' }, 1)[0]?.delaysMs).toEqual([2_000]);
    const delays = passages({ delayMs: [100, '1s'] }, 100).flatMap(({ delaysMs }) => delaysMs);
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(100);
    expect(Math.max(...delays)).toBeLessThanOrEqual(1_000);
    expect(new Set(delays).size).toBeGreaterThan(50);
  });

  test('let messages overtake only when told', () => {
    expect(passages({ delayMs: [0, 50] }, 1)[0]?.overtakes).toBe(false);
    const reordered = passages({ reorder: true }, 100);
    expect(reordered.every(({ overtakes }) => overtakes)).toBe(true);
    expect(Math.max(...reordered.flatMap(({ delaysMs }) => delaysMs))).toBeGreaterThan(50);
  });

  test('spare what is not named', () => {
    expect(passages({ dropEvery: 2, only: ['events'] }, 2)[1]?.delaysMs).toEqual([]);
    expect(passages({ dropEvery: 2, only: ['events'] }, 2, 'accept')[1]?.delaysMs).toEqual([0]);
  });

  test('decide about one message before all else', () => {
    const decide: Faults['decide'] = ({ nth }) =>
      ([undefined, 'drop', 'duplicate', 'disconnect', 'deliver', { delayMs: 7 }] as const)[nth - 1];
    const decided = passages({ decide, dropEvery: 5 });
    expect(decided.map(({ delaysMs }) => delaysMs)).toEqual([[0], [], [0, 0], [], [0], [7]]);
    expect(decided.map(({ cuts }) => cuts)).toEqual([false, false, false, true, false, false]);
  });

  test.each([
    [{ dropEvery: 1 }, 'faults.dropEvery is 1; expected a whole number from 2 on'],
    [{ dropEvery: 2.5 }, 'faults.dropEvery is 2.5'],
    [{ duplicateEvery: 0 }, 'faults.duplicateEvery is 0'],
    [{ dropRate: 1 }, 'faults.dropRate is 1; expected a share from 0 to 0.9'],
    [{ duplicateRate: -1 }, 'faults.duplicateRate is -1'],
    [{ delayMs: ['2s', '1s'] as const }, 'the bounds are swapped'],
    [{ delayMs: 'soon' }, '"soon" is no span of time'],
  ])('refuse %j', (faults, message) => {
    expect(() => createFaultPlan(faults, Math.random)).toThrow(message);
  });
});
