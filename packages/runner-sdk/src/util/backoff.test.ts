import { expect, test } from 'vitest';
import { backoffMs } from './backoff.js';

const bounds = { minMs: 250, maxMs: 30_000 };

test.each([
  [0, 0, 250],
  [0, 1, 500],
  [1, 1, 1000],
  [3, 0.5, 2125],
  [10, 1, 30_000],
  [5000, 1, 30_000],
])('attempt %i with chance %d waits %i ms', (attempt, random, expected) => {
  expect(backoffMs(attempt, bounds, random)).toBe(expected);
});
