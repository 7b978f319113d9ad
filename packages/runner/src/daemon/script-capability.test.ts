import { expect, test } from 'vitest';
import { warningsOf } from './script-capability.js';

test('an interpreter that hangs is named at the start; one that is not there is none to speak of', () => {
  const python = '"python3" did not answer within 60 s';
  expect(warningsOf({ languages: {}, labels: {}, unanswered: { python } })).toEqual([
    `no scripts in python are taken until the next start: ${python}`,
  ]);
  expect(warningsOf({ languages: {}, labels: {} })).toEqual([]);
});
