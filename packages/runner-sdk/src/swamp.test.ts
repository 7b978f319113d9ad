import { expect, test } from 'vitest';
import * as entry from './swamp.js';

test('exports exactly these names', () => {
  expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
    [
      "swamp",
      "swampRunnerOptions",
    ]
  `);
});
