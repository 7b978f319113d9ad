import { expect, test } from 'vitest';
import * as sdk from './index.js';

test('exports exactly these names', () => {
  expect(Object.keys(sdk).sort()).toMatchInlineSnapshot(`
    [
      "CapabilityError",
      "ExecutionCancelled",
      "RunnerError",
      "controlPlane",
      "createRunner",
      "defineCapability",
      "isCapabilityError",
      "isExecutionCancelled",
      "isRunnerError",
    ]
  `);
});
