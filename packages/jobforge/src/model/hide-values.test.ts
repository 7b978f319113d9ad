import { expect, it } from 'vitest';
import { hideValues } from './hide-values.js';

const { text, json } = hideValues(['hunter2', 'hunter2-long', '12345', 'abc']);

it.each([
  ['a hunter2 b', 'a [redacted] b'],
  ['hunter2-long', '[redacted]'],
  ['abc is too short to be hidden', 'abc is too short to be hidden'],
])('hides values in %j', (given, shown) => {
  expect(text(given)).toBe(shown);
});

it('hides values anywhere in JSON: texts, keys, numbers', () => {
  expect(json({ hunter2: ['x hunter2', 12_345, 1, null, true], n: { port: '12345' } })).toEqual({
    '[redacted]': ['x [redacted]', '[redacted]', 1, null, true],
    n: { port: '[redacted]' },
  });
});
