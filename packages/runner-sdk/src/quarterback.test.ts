import { expect, test } from 'vitest';
import * as entry from './quarterback.js';

test('exports exactly these names', () => {
  expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
    [
      "QUARTERBACK_IMAGE",
      "quarterback",
    ]
  `);
});
