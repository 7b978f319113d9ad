import { expect, test } from 'vitest';
import * as script from './script.js';

test('exports exactly these names', () => {
  expect(new Set(Object.keys(script))).toEqual(new Set(['findInterpreters', 'script']));
});
