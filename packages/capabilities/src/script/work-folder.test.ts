import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { createWorkFolders } from './work-folder.js';

const parent = mkdtempSync(join(tmpdir(), 'work-'));
afterAll(() => rmSync(parent, { recursive: true, force: true }));
const root = join(parent, 'root');
const options = { root, runAs: undefined, keepFailed: 2 };

test('folders of runners that are no more are taken away at the start, those of runners that live are not', () => {
  const folders = createWorkFolders(options);
  const own = folders.make({ 'a.txt': 'x' });
  // A pid beyond the largest, and this process's at another time.
  const left = ['run-99999999-1-abc', `run-${process.pid}-1-abc`].map((name) => join(root, name));
  for (const path of left) mkdirSync(path);
  createWorkFolders(options);
  expect(left.map(existsSync)).toEqual([false, false]);
  expect([existsSync(own.path), existsSync(folders.cache)]).toEqual([true, true]);
});

test('of those that are to be kept the oldest makes room', () => {
  const folders = createWorkFolders(options);
  const made = [1, 2, 3].map(() => folders.make({}));
  for (const folder of made) expect(folder.close(true)).toBe(true);
  expect(made.map(({ path }) => existsSync(path))).toEqual([false, true, true]);
});
