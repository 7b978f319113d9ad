import { expect, it } from 'vitest';
import { storeOf, storeWords } from './store-option.js';

it('a folder holds a file, a database is shown without its password, memory keeps nothing', () => {
  expect(storeOf({ data: './data' })).toEqual({ store: 'sqlite:data/jobforge.db', shown: './data' });
  const store = 'postgres://me:secret@db/jobs';
  expect(storeOf({ data: './data', store })).toEqual({ store, shown: 'postgres://db/jobs' });
  expect(storeOf({ data: './data', memory: true })).toEqual({ store: 'memory', shown: null });
  expect([null, './data', 'postgres://db/jobs'].map(storeWords)).toEqual([
    'embedded, in memory',
    'embedded, ./data',
    'postgres://db/jobs',
  ]);
});

it.each([
  [{ data: '.', memory: true, store: 'postgres://db/jobs' }, '--memory keeps nothing'],
  [{ data: '.', store: 'mysql://me:secret@db/jobs' }, '--store takes the URL of a PostgreSQL database'],
  [{ data: '.', store: 'postgres://me:secret@db:x/jobs' }, 'the PostgreSQL URL of the store cannot be read'],
])('%j is refused', (options, words) => {
  expect(() => storeOf(options)).toThrow(words);
  expect(() => storeOf(options)).not.toThrow('secret');
});
