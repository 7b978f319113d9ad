import { expect, test } from 'vitest';
import * as testing from './testing.js';

test('exports exactly these names', () => {
  expect(Object.keys(testing).sort()).toEqual(['createVirtualClock', 'inMemoryHost', 'runCapability']);
});
