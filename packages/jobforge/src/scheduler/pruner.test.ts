import { afterEach, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';
import { createPruner } from './pruner.js';

const test = openForges();
afterEach(test.close);

it('forgets in batches until there is nothing more to do, and again a minute later', async () => {
  const clock = createManualClock(1_000_000);
  const left = [200, 200, 7, 3];
  const asked: number[] = [];
  let idle = (): void => undefined;
  const store = {
    prune: async ({ endedBefore }: { endedBefore: number }) => {
      asked.push(endedBefore);
      return left.shift() ?? 0;
    },
    // The records come last: the round is over one turn later.
    pruneLinks: async () => {
      setImmediate(() => setImmediate(() => idle()));
      return 0;
    },
  };
  const told: unknown[] = [];
  const pruner = createPruner({
    store,
    chains: ['a'],
    clock,
    retention: { maxAgeMs: 1_000, maxJobs: 5, maxTrailAgeMs: 1_000, maxTrailLinks: 5 },
    log: (_severity, _message, fields) => void told.push(fields),
  });
  const round = async (start: () => void): Promise<void> => {
    const done = new Promise<void>((resolve) => (idle = resolve));
    start();
    await done;
  };
  await round(() => pruner.start());
  expect(asked).toEqual([999_000, 999_000, 999_000]);
  await round(() => clock.advance(60_000));
  expect(told).toEqual([{ jobs: 407 }, { jobs: 3 }]);
  pruner.stop();
  clock.advance(120_000);
  expect(asked).toHaveLength(4);
});

it('sweeps files also where no job is to be forgotten', async () => {
  const clock = createManualClock(1_000_000);
  const never = (): never => {
    throw new Error('asked to forget');
  };
  let swept = (): void => undefined;
  const pruner = createPruner({
    ...{ store: { prune: never, pruneLinks: never }, chains: ['a'], clock, retention: false },
    sweep: async () => {
      setImmediate(() => setImmediate(() => swept()));
      return 0;
    },
    log: never,
  });
  for (const start of [() => pruner.start(), () => clock.advance(60_000)])
    await new Promise<void>((resolve) => {
      swept = resolve;
      start();
    });
  pruner.stop();
});

it('a control plane forgets what it need not keep, and keeps what has not ended', async () => {
  const clock = createManualClock(1_000_000);
  const forge = await test.forge({ clock, retention: { maxJobs: 1 } });
  for (const id of ['a', 'b', 'c']) await forge.submit({ capability: 'nobody', input: {}, id });
  for (const id of ['a', 'b']) await forge.job(id).cancel();
  clock.advance(61_000);
  await expect
    .poll(() =>
      forge
        .job('a')
        .show()
        .then(
          () => 'there',
          () => 'gone',
        ),
    )
    .toBe('gone');
  expect(await forge.job('b').show()).toMatchObject({ status: 'cancelled' });
  expect(await forge.job('c').show()).toMatchObject({ status: 'queued' });
});
