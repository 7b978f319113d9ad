import fc from 'fast-check';
import { test } from 'vitest';
import { playAndCheck, schedules } from './fault-schedules.suite.js';

test('three thousand schedules of faults: every job ends once, with the right result', async () => {
  await fc.assert(fc.asyncProperty(schedules, playAndCheck), { numRuns: 3_000 });
});
