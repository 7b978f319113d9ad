import { expect, test } from 'vitest';
import * as entry from './opentelemetry.js';

test('exports exactly these names', () => {
  expect(Object.keys(entry).sort()).toMatchInlineSnapshot(`
    [
      "openTelemetry",
    ]
  `);
});
