import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/features.md'), 'utf8');
const rows = page.split('\n').flatMap((line) => {
  const [, number, feature = '', place = '', proof = ''] = /^\| (\d+) \|(.*)\|(.*)\|(.*)\|$/.exec(line) ?? [];
  return number === undefined ? [] : [{ number: Number(number), feature, place, proof }];
});
const named = (text: string): string[] =>
  [...text.matchAll(/`([\w.-]+\/[\w./-]+)`/g)].flatMap(([, path]) => path ?? []);

describe('docs/features.md', () => {
  it('has a line for each of the 77 rows of the union, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual(Array.from({ length: 77 }, (_, index) => index + 1));
  });

  it('says of each where it is, or why it is not, and which tests show it', () => {
    for (const { number, feature, place, proof } of rows) {
      expect(feature.trim(), `row ${number}`).not.toBe('');
      expect(named(place).length + Number(place.includes('left out')), `row ${number}`).toBeGreaterThan(0);
      const tests = named(proof);
      expect(tests.length, `row ${number}`).toBeGreaterThan(0);
      for (const path of tests) expect(path, `row ${number}`).toMatch(/\.(test|suite)\.ts$/);
    }
  });

  it('names files that are there', () => {
    expect(named(page).filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });
});
