import type { JobEvent } from '@controlplane/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { systemClock, type Clock } from '../model/clock.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf } from '../testing/dial-in-runner.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { ECHO } from '../testing/stub-runner.js';

const echo = { capability: 'echo', input: { text: 'hi' } };

type Listening = JobForge & { readonly url: string };

/** A clock that tells how often a replica has looked around: it sets the time of the next look after each. */
function watchRounds(beatMs: number): { readonly clock: Clock; rounds(more: number): Promise<void> } {
  let looked = (): void => undefined;
  return {
    clock: {
      now: systemClock.now,
      after(delayMs, wake) {
        if (delayMs === beatMs) looked();
        return systemClock.after(delayMs, wake);
      },
    },
    rounds: (more) =>
      new Promise((resolve) => {
        let left = more;
        looked = () => {
          left -= 1;
          if (left === 0) resolve();
        };
      }),
  };
}

describe.skipIf(missingPostgres() !== undefined)('two JobForges over one database', () => {
  let cluster: PostgresCluster;
  const test = openDialIns();
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(test.close);
  afterAll(() => cluster.stop());

  const pair = async (limits: JobForgeOptions['limits'] = {}): Promise<[Listening, Listening]> => {
    const store = cluster.newUrl();
    // A delay that nothing else has.
    const all = { replicaBeatMs: 53, ...limits };
    const clocks = [watchRounds(all.replicaBeatMs), watchRounds(all.replicaBeatMs)] as const;
    const one = await test.listening({ store, limits: all, clock: clocks[0].clock });
    const other = await test.listening({ store, limits: all, clock: clocks[1].clock });
    // Each has heard of the other: what it has no runner for is left to that one.
    await Promise.all(clocks.map(({ rounds }) => rounds(2)));
    return [one, other];
  };

  it('a job that was submitted to one runs through the other, and is followed at either', async () => {
    const [one, other] = await pair();
    const runner = await test.dialIn(other.url);
    const job = await one.submit(echo);
    const types: string[] = [];
    const followed = (async () => {
      for await (const event of job.events()) types.push(event.type);
    })();
    const offered = await runner.offer();
    expect(offered).toMatchObject({ jobId: job.id, attempt: 1 });
    await runner.accept(offered);
    expect(await job.show()).toMatchObject({ status: 'running', executionId: offered.executionId });
    const said = { type: 'log', level: 'info', message: 'half-way' };
    runner.tell(offered, ...eventsOf(offered, [said], 1));
    await expect.poll(() => types, { timeout: 5_000 }).toContain('job.log');
    runner.tell(offered, ...eventsOf(offered, [{ type: 'succeeded', data: 'done' }], 2));
    await followed;
    expect(types).toEqual(['job.created', 'job.queued', 'job.started', 'job.log', 'job.completed']);
    expect(await job.result()).toMatchObject({ success: true, data: 'done' });
    expect(await other.job(job.id).show()).toMatchObject({ status: 'completed', attempts: 1 });
  });

  it('an id is taken for both', async () => {
    const [one, other] = await pair();
    const submission = { ...echo, id: 'mine' };
    await one.submit(submission);
    expect((await other.submit(submission)).id).toBe('mine');
    await expect(other.submit({ ...submission, input: { text: 'else' } })).rejects.toMatchObject({
      envelope: { code: 'JOB_CONFLICT' },
    });
    expect((await other.operations.listJobs({ limit: 10, status: 'queued' })).items).toHaveLength(1);
  });

  it('what waits is cancelled through either, and what runs is told to stop', async () => {
    const [one, other] = await pair();
    const waiting = await one.submit({ capability: 'rare', input: {} });
    expect(await other.job(waiting.id).cancel()).toMatchObject({ status: 'cancelled' });
    const runner = await test.dialIn(other.url);
    const running = await one.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    await running.cancel();
    expect((await runner.next('directives')).directives).toEqual([
      { kind: 'cancel', executionId: offered.executionId, reason: 'user' },
    ]);
    runner.tell(offered, ...eventsOf(offered, [{ type: 'cancelled', reason: 'user' }], 1));
    expect(await running.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
    await expect(running.cancel()).rejects.toMatchObject({ envelope: { code: 'JOB_FINISHED' } });
    await expect(one.job('none').cancel()).rejects.toMatchObject({ envelope: { code: 'JOB_NOT_FOUND' } });
  });

  it('a runner goes from one to the other with what it runs, and keeps its id', async () => {
    const [one, other] = await pair();
    const first = await test.socket(one.url);
    const { runnerId } = await first.register();
    const job = await other.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    first.cut();
    const second = await test.socket(other.url);
    expect(await second.register({ held: [offered.executionId] })).toMatchObject({ runnerId });
    second.succeed(offered, 'from the other');
    expect(await job.result()).toMatchObject({
      success: true,
      data: 'from the other',
      metadata: { attempts: 1 },
    });
    await expect
      .poll(() => one.operations.listRunners(), { timeout: 5_000 })
      .toMatchObject([{ id: runnerId, status: 'healthy' }]);
    // And what it does not run is offered to it where it is now.
    const next = await one.submit(echo);
    const offers = [(await second.offer()).jobId];
    // What it was asked for again comes first.
    if (offers[0] === job.id) offers.push((await second.offer()).jobId);
    expect(offers.at(-1)).toBe(next.id);
  });

  it('a runner that is disabled at one is disabled at the other', async () => {
    const [one, other] = await pair();
    const first = await test.socket(one.url);
    const { runnerId } = await first.register();
    await expect
      .poll(async () => (await other.operations.showRunner(runnerId)).status, { timeout: 5_000 })
      .toBe('healthy');
    expect(await other.operations.disableRunner(runnerId, {})).toMatchObject({ disabled: {} });
    first.cut();
    await test.dialIn(other.url);
    expect(await other.operations.showRunner(runnerId)).toMatchObject({ disabled: {} });
  });

  it('one that stops leaves what waits, and what runs, to the other', async () => {
    const [one, other] = await pair();
    const first = await test.dialIn(one.url);
    const running = await one.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    const capabilities = [{ ...ECHO, maxConcurrency: 1 }];
    const waiting = await one.submit({ capability: 'later', input: {} });
    await one.stop({ drainMs: 0 });
    const second = await test.dialIn(other.url, { held: [offered.executionId] });
    const helper = await test.dialIn(other.url, {
      ...{ name: 'helper', instanceId: 'i2', machineId: 'm2' },
      capabilities: [{ ...capabilities[0], id: 'later' }],
    });
    expect((await helper.offer()).jobId).toBe(waiting.id);
    second.succeed(offered, 'taken over');
    expect(await other.job(running.id).result()).toMatchObject({ data: 'taken over' });
  });

  it('work is shared by those who have runners for it', async () => {
    const [one, other] = await pair();
    const jobs = await Promise.all(Array.from({ length: 30 }, () => one.submit(echo)));
    const runners = [
      await test.dialIn(one.url, { name: 'a', instanceId: 'a', machineId: 'a' }),
      await test.dialIn(other.url, { name: 'b', instanceId: 'b', machineId: 'b' }),
    ];
    const counts = [0, 0];
    for (const [index, runner] of runners.entries())
      void (async () => {
        for (;;) {
          const offered = await runner.offer();
          await runner.accept(offered);
          counts[index] = (counts[index] ?? 0) + 1;
          runner.succeed(offered);
        }
      })();
    for (const job of jobs)
      expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(counts.reduce((sum, count) => sum + count)).toBe(30);
  });

  it('an expired job that nobody has ends', async () => {
    const [one] = await pair();
    const job = await one.submit({
      ...echo,
      metadata: { expiresAt: new Date(Date.now() + 300).toISOString() },
    });
    const events: JobEvent[] = [];
    for await (const event of job.events()) events.push(event);
    expect(events.at(-1)?.type).toBe('job.expired');
  });
});
