import { expect, test } from 'vitest';
import * as entry from './swarmlet.js';

test('exports exactly these names', () => {
  expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
    [
      "swarmlet",
      "swarmletHosts",
    ]
  `);
});
