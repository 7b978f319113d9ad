import { expect, test } from 'vitest';
import { largestPart, sayLargestPart } from './largest-part.js';

const long = 'ü'.repeat(100);

test.each([
  ['one long text', { id: 1, html: long }, { path: ['html'], bytes: 202 }],
  [
    'one within others',
    { pages: [{ html: 'a' }, { html: long, id: 1 }] },
    { path: ['pages', '1', 'html'], bytes: 202 },
  ],
  [
    'many of a size',
    { rows: Array.from({ length: 50 }, (_, index) => `row ${10 + index}`) },
    { path: ['rows'], bytes: 451 },
  ],
  ['a list at the root', [1, long], { path: ['1'], bytes: 202 }],
])('the part to blame is found: %s', (_what, value, part) => {
  expect(largestPart(JSON.stringify(value))).toEqual(part);
});

test.each([long, 1, null, {}, []])('a value without parts has none: %j', (value) => {
  expect(largestPart(JSON.stringify(value))).toBeUndefined();
  expect(sayLargestPart(JSON.stringify(value), 'output')).toBe('');
});

test('it is named as JavaScript names it, keys cut', () => {
  const value = { 'a b': [{ ['k'.repeat(100)]: long }] };
  expect(sayLargestPart(JSON.stringify(value), 'output')).toBe(
    `; its largest part is output["a b"][0].${'k'.repeat(64)} with 202 bytes`,
  );
});

test('a value of a thousand levels is looked into no further than twenty', () => {
  const json = '{"a":'.repeat(1000) + '1' + '}'.repeat(1000);
  expect(largestPart(json)?.path).toHaveLength(20);
});
