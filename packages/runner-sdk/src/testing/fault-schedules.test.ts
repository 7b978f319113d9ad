import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { play, playAndCheck, schedules } from './fault-schedules.suite.js';
import { stopRunners } from './attached-runner.suite.js';

test('whatever is lost, doubled, delayed or overtaken, and wherever the link is cut: every job ends once, with the right result', async () => {
  await fc.assert(fc.asyncProperty(schedules, playAndCheck), { numRuns: 150 });
});

test('what is begun again and again because each second message is lost ends once that is over', async () => {
  const work = { kind: 'none', failures: 0, logs: 0 } as const;
  await playAndCheck({
    seed: 0,
    faults: { dropEvery: 2, delayMs: [945, 1_924] },
    jobs: [
      { ...work, ms: 40_000 },
      { ...work, ms: 0 },
    ],
    cutAt: [
      { type: 'ready', nth: 2, forMs: 0 },
      { type: 'register', nth: 10, forMs: 0 },
      { type: 'events', nth: 1, forMs: 7_901 },
    ],
    cuts: [],
    runners: 1,
  });
});

test('a link that an offer cuts while others are placed does not have a job run twice at once', async () => {
  const work = { kind: 'none', ms: 0, failures: 0, logs: 0 } as const;
  await playAndCheck({
    seed: 954744330,
    faults: { delayMs: [0, 1_644] },
    jobs: [work, work],
    cutAt: [
      { type: 'confirmed', nth: 2, forMs: 0 },
      { type: 'offers', nth: 5, forMs: 0 },
    ],
    cuts: [{ afterMs: 326, forMs: 566 }],
    runners: 2,
  });
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
