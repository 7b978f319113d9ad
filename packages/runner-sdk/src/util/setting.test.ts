import { expect, test } from 'vitest';
import { z } from 'zod';
import { resolveSettings } from './setting.js';

test.each([
  [[], 'option "port" is "x": no number. Set option "port".'],
  [['A', 'B'], 'option "port" is "x": no number. Set option "port" or environment variable A or B.'],
])('what is wrong names the option, and the variables %j', (variables, message) => {
  const port = { variables, schema: z.number('no number'), fallback: 1 };
  expect(() => resolveSettings({ port }, { port: 'x' }, {})).toThrow(message);
});
