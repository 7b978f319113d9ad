import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { play, playAndCheck, schedules } from './fault-schedules.suite.js';
import { stopRunners } from './attached-runner.suite.js';

test('whatever is lost, doubled, delayed or overtaken, and wherever the link is cut: every job ends once, with the right result', async () => {
  await fc.assert(fc.asyncProperty(schedules, playAndCheck), { numRuns: 150 });
});

test('the same seed plays the same, message for message', async () => {
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const trace = async (): Promise<string> => {
        const { host, runners } = await play(schedule);
        await stopRunners(host, runners);
        return createHash('sha256').update(JSON.stringify(host.frames)).digest('hex');
      };
      expect(await trace()).toBe(await trace());
    }),
    { numRuns: 20 },
  );
});
