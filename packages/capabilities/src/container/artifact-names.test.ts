import { expect, test } from 'vitest';
import { artifactNames } from './artifact-names.js';

test('paths become names that the contract takes, each its own', () => {
  const names = artifactNames([
    'a.txt',
    'sub/a.txt',
    'sub_a.txt',
    'sub a.txt',
    '.hidden',
    'é',
    `${'x'.repeat(200)}.txt`,
    '-',
  ]);
  expect(names.slice(0, 6)).toEqual(['a.txt', 'sub_a.txt', 'sub_a.txt-2', 'sub_a.txt-3', '_hidden', '_']);
  for (const name of names) expect(name).toMatch(/^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/);
  expect(names[6]).toMatch(/x\.txt$/);
  expect(new Set(names).size).toBe(names.length);
});
