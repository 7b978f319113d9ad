import { JobSubmission } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock } from '../model/clock.js';
import { toJobRecord } from '../model/job-record.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { createManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';
import { createEngine } from './engine.js';
import { createState } from './engine-state.js';
import { jobEvents } from './job-events.js';
import type { Sharing } from './sharing.js';
import { waitingJob } from './waiting-job.fixture.js';

const test = openForges();
afterEach(test.close);

describe('the events of a job', () => {
  it.each([
    ['finish-job', ['0.0', '0.1', '1.0', '1.1']],
    ['retry-job', ['0.0', '0.1', '1.0', '1.1', '2.0', '2.1']],
  ])('tell that it began while %s is being written', async (kind, ids) => {
    const store = await openSqliteStore({ location: ':memory:' });
    let open = (): void => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    let waiting = false;
    const gated: Store = {
      ...store,
      async commit(batch) {
        if (batch.some((operation) => operation.kind === kind)) {
          waiting = true;
          await gate;
        }
        return store.commit(batch);
      },
    };
    const parts = { limits: DEFAULT_LIMITS, clock: systemClock, random: Math.random, log: silentLog };
    const engine = createEngine({ store: gated, ...parts });
    await engine.start();
    const runner = await test.runner({
      form: 'batch',
      handle(execution) {
        execution.accept();
        if (kind === 'retry-job' && runner.executions.length === 1)
          execution.fail('EXECUTION_FAILED', { retryable: true });
        else execution.succeed();
      },
    });
    await engine.operations.registerRunner(runner.registration());
    const retryPolicy = { backoffMs: 1 };
    const payload = { type: 'echo', data: {} };
    await engine.operations.submitJob(JobSubmission.parse({ id: 'a', type: 'x', payload, retryPolicy }));
    await expect.poll(() => waiting).toBe(true);
    const seen: string[] = [];
    for await (const { id } of engine.operations.jobEvents('a')) {
      seen.push(id);
      if (id === '0.1') open();
    }
    expect(seen).toEqual(ids);
    await engine.stop();
  });

  it.each([{ maxSubscriberEvents: 5 }, { maxSubscriberBytes: 200 }])(
    'end for a subscriber that reads too slowly, with how to go on: %j',
    async (limits) => {
      const { forge, runner } = await test.pair({
        form: 'batch',
        limits,
        handle: (execution) => execution.accept(),
      });
      const job = await forge.submit({ capability: 'echo', input: {} });
      const execution = await runner.execution(0);
      const events = job.events()[Symbol.asyncIterator]();
      await events.next();
      for (let line = 0; line < 20; line += 1)
        execution.send({ type: 'log', level: 'info', message: `${line}` });
      execution.succeed();
      await job.result();
      const read: string[] = [];
      const all = async (): Promise<void> => {
        for (let next = await events.next(); !next.done; next = await events.next()) read.push(next.value.id);
      };
      await expect(all()).rejects.toMatchObject({
        envelope: { code: 'SUBSCRIBER_TOO_SLOW', retryable: true },
      });
      const rest: string[] = [];
      for await (const { id } of job.events({ afterId: read.at(-1) ?? '' })) rest.push(id);
      expect([...read, ...rest]).toEqual([
        '0.1',
        '1.0',
        ...Array.from({ length: 21 }, (_, index) => `1.${index + 1}`),
      ]);
    },
  );

  it('end without an error when the subscriber leaves or JobForge stops', async () => {
    const forge = await test.forge();
    const job = await forge.submit({ capability: 'echo', input: {} });
    const left = new AbortController();
    const count = async (options = {}): Promise<number> => {
      let events = 0;
      for await (const event of job.events(options)) events += event.id === '' ? 0 : 1;
      return events;
    };
    const leaving = count({ signal: left.signal });
    const staying = count();
    expect(await count({ follow: false })).toBe(2);
    left.abort();
    expect(await leaving).toBe(2);
    await forge.stop();
    expect(await staying).toBe(2);
  });

  it('of a job that is not known are refused, as is an id that is none', async () => {
    const forge = await test.forge();
    const first = async (iterable: AsyncIterable<unknown>): Promise<unknown> =>
      iterable[Symbol.asyncIterator]().next();
    await expect(first(forge.operations.jobEvents('missing'))).rejects.toMatchObject({
      envelope: { code: 'JOB_NOT_FOUND' },
    });
    const job = await forge.submit({ capability: 'echo', input: {} });
    await expect(first(job.events({ afterId: 'nonsense' }))).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR' },
    });
  });
});

describe('stopping', () => {
  it('lets what runs finish and takes nothing new', async () => {
    const { forge, runner } = await test.pair({ form: 'batch', handle: (execution) => execution.accept() });
    const job = await forge.submit({ capability: 'echo', input: {} });
    const execution = await runner.execution(0);
    const result = job.result();
    const stopped = forge.stop({ drainMs: 10_000 });
    await expect(forge.submit({ capability: 'echo', input: {} })).rejects.toMatchObject({
      envelope: { code: 'SHUTTING_DOWN' },
    });
    expect(forge.operations.readiness()).toMatchObject({ ok: false });
    execution.succeed('late');
    expect(await result).toMatchObject({ data: 'late' });
    await stopped;
  });
});

it('events that were told live are told again word for word', async () => {
  let readings = 0;
  const { forge, runner } = await test.pair({
    form: 'batch',
    // A millisecond passes between any two readings.
    clock: { ...systemClock, now: () => Date.now() + (readings += 1) },
    handle(execution) {
      execution.accept();
      execution.send({ type: 'log', level: 'info', message: 'one', fields: { n: 1 } });
      execution.send({ type: 'progress', fraction: 0.5 });
      if (runner.executions.length === 1) execution.fail('EXECUTION_FAILED', { retryable: true });
      else execution.succeed({ ok: true });
    },
  });
  const scheduledAt = new Date(Date.now() + 50).toISOString();
  const job = await forge.submit({
    capability: 'echo',
    input: {},
    metadata: { scheduledAt },
    retryPolicy: { backoffMs: 1 },
  });
  const all = async (): Promise<unknown[]> => {
    const events: unknown[] = [];
    for await (const event of job.events()) events.push(event);
    return events;
  };
  const live = await all();
  expect(live.map((event) => (event as { id: string }).id)).toEqual([
    '0.0',
    '0.1',
    '1.0',
    '1.1',
    '1.2',
    '1.3',
    '2.0',
    '2.1',
    '2.2',
    '2.3',
  ]);
  expect(await all()).toEqual(live);
});

it('asks ever more seldom after a job that its own JobForge has, where several share a store', async () => {
  const clock = createManualClock();
  const timers: number[] = [];
  const store = await openSqliteStore({ location: ':memory:' });
  const state = createState({
    ...{ store, limits: DEFAULT_LIMITS, random: Math.random, log: silentLog },
    clock: {
      now: clock.now,
      after(delayMs, wake) {
        timers.push(delayMs);
        return clock.after(delayMs, wake);
      },
    },
  });
  const asked = JobSubmission.parse({ type: 'echo', payload: { type: 'echo', data: {} } });
  const row = { id: 'a', type: 'echo', createdAt: 0, ...toJobRecord(asked) } as const;
  await store.commit([{ kind: 'insert-job', ...row, state: 'queued', lease: undefined }]);
  state.jobs.set('a', waitingJob(1));
  state.sharing = {} as Sharing;
  const leave = new AbortController();
  const followed = (async () => {
    for await (const { type } of jobEvents(state, 'a', { signal: leave.signal }))
      if (type === 'job.queued') expect(timers).toEqual([]);
  })();
  await expect.poll(() => timers).toHaveLength(1);
  for (let looks = 2; looks <= 12; looks += 1) {
    clock.advance(timers.at(-1) ?? 0);
    await expect.poll(() => timers).toHaveLength(looks);
  }
  expect([timers[0], timers.at(-1)]).toEqual([50, 1_000]);
  leave.abort();
  await followed;
  await store.close();
});
