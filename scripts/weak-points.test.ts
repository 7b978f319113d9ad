import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';

const docs = resolve(import.meta.dirname, '../docs');
const page = readFileSync(join(docs, 'weak-points.md'), 'utf8');
const rows = page.split('\n').filter((line) => /^\| (?!weak point)[^|-]/.test(line));
const testsIn = (row: string): RegExpExecArray[] => [...row.matchAll(/\[([^\]]+)\]\((\.\.\/[^)]+)\)/g)];

it('docs/weak-points.md names a test for each weak point', () => {
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((row) => testsIn(row).length === 0)).toEqual([]);
});

it('docs/weak-points.md names tests that are there', () => {
  const named = rows.flatMap(testsIn).map(([, title = '', path = '']) => ({ title, file: join(docs, path) }));
  const missing = named.filter(
    ({ title, file }) => !existsSync(file) || !readFileSync(file, 'utf8').includes(`'${title}'`),
  );
  expect(missing).toEqual([]);
});
