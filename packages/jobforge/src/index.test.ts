import { expect, it } from 'vitest';
import * as jobforge from './index.js';

it('exports these names and no others', () => {
  expect(Object.keys(jobforge).sort()).toEqual(['JobForgeError', 'createJobForge', 'isJobForgeError']);
});

it('refuses a store that it does not know, in one sentence', () => {
  expect(() => jobforge.createJobForge({ store: 'mysql://x' })).toThrow(
    'store "mysql://" is not known: expected "memory", "sqlite:" and the path of a file, such as sqlite:./data/jobforge.db, or "postgres://" and a database',
  );
});
