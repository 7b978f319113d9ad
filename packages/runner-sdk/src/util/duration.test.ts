import { expect, test } from 'vitest';
import { toMilliseconds } from './duration.js';

test.each([
  [0, 0],
  [31_000, 31_000],
  ['250ms', 250],
  ['31s', 31_000],
  ['0.5s', 500],
  ['10m', 600_000],
  ['1m30s', 90_000],
  ['2h', 7_200_000],
  ['1d', 86_400_000],
])('%j is %i ms', (duration, expected) => {
  expect(toMilliseconds(duration)).toBe(expected);
});

test.each([[''], ['31'], ['31 s'], ['-1s'], ['1w'], [-1], [Number.NaN]])('refuses %j', (duration) => {
  expect(() => toMilliseconds(duration)).toThrow(/is no span of time/);
});
