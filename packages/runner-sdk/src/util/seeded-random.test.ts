import { expect, test } from 'vitest';
import { createSeededRandom } from './seeded-random.js';

const take = (seed: number, count = 1_000): number[] => {
  const random = createSeededRandom(seed);
  return Array.from({ length: count }, () => random());
};

test('gives the same numbers for the same seed, and others for another', () => {
  expect(take(7)).toEqual(take(7));
  expect(take(7)).not.toEqual(take(8));
});

test('spreads them over [0, 1)', () => {
  const numbers = take(1, 10_000);
  expect(numbers.every((number) => number >= 0 && number < 1)).toBe(true);
  const mean = numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  expect(mean).toBeCloseTo(0.5, 1);
});
