import { expect, test } from 'vitest';
import * as container from './container.js';

test('exports exactly these names', () => {
  expect(new Set(Object.keys(container))).toEqual(new Set(['container', 'findEngine']));
});
