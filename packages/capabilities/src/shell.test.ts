import { expect, test } from 'vitest';
import * as shell from './shell.js';

test('exports exactly these names', () => {
  expect(Object.keys(shell)).toEqual(['shell']);
});
