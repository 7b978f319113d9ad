import { RunnerHeartbeat } from '@controlplane/contracts';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../scheduler/engine.js';
import { openPostgresStore } from '../store/postgres-store.js';
import { createManualClock, type ManualClock } from '../testing/manual-clock.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import {
  asking,
  failingOnce,
  losingOneAnswer,
  offers,
  register,
  replicaEngine,
  succeed,
  work,
  type ReplicaEngineOptions,
} from '../testing/replica-engine.fixture.js';

const unavailable = { envelope: { code: 'STORE_UNAVAILABLE', retryable: true } };

describe.skipIf(missingPostgres() !== undefined)('where the store fails a replica', () => {
  let cluster: PostgresCluster;
  let clock: ManualClock;
  let url: string;
  const engines: Engine[] = [];
  const seen = new Map<Engine, () => number>();
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.stop();
  });
  afterAll(() => cluster.stop());

  const begin = (): void => {
    clock = createManualClock(Date.now());
    url = cluster.newUrl();
  };
  const open = async (options: Partial<ReplicaEngineOptions> = {}): Promise<Engine> => {
    let others = 0;
    const engine = await replicaEngine({
      ...{ url, clock, ...options },
      change: (store) => ({
        async others() {
          const seen = await store.others();
          others = seen.length;
          return seen;
        },
        ...options.change?.(store),
      }),
    });
    engines.push(engine);
    seen.set(engine, () => others);
    return engine;
  };
  const seesOthers = (engine: Engine) => passing(async () => seen.get(engine)?.() ?? 0).toBeGreaterThan(0);
  /** Lets time pass until something is done: what one replica asks another may wait for its next look. */
  const patiently = async <T>(deed: Promise<T>): Promise<T> => {
    const ticking = setInterval(() => clock.advance(300), 100);
    return deed.finally(() => clearInterval(ticking));
  };
  const working = async (engine: Engine, name = 'helper'): Promise<void> => {
    const runnerId = await patiently(register(engine, { name }));
    // Ends with the engine.
    work(engine, runnerId).catch(() => undefined);
  };
  /** Lets time pass until something holds. */
  const passing = (holds: () => Promise<unknown>): ReturnType<typeof expect.poll<unknown>> =>
    expect.poll(
      () => {
        clock.advance(500);
        return holds();
      },
      { timeout: 8_000, interval: 15 },
    );
  const statusOf = async ({ operations }: Engine, id: string): Promise<string> =>
    (await operations.showJob(id)).status;
  /** A job that a runner of a replica runs. */
  const running = async (engine: Engine) => {
    const runnerId = await patiently(register(engine));
    const { job } = await engine.operations.submitJob(asking('echo'));
    const [offered] = await offers(engine, runnerId);
    if (offered === undefined) throw new Error('nothing was offered');
    const { executionId, leaseToken } = offered;
    await engine.operations.acceptExecution(executionId, { leaseToken });
    return { runnerId, job, offered };
  };
  const knows = ({ operations }: Engine, runnerId: string) =>
    passing(async () => (await operations.listRunners()).map(({ id }) => id)).toContain(runnerId);

  it('jobs that could not be given up are found again, and given up then', async () => {
    begin();
    const one = await open({ change: ({ release }) => ({ release: failingOnce(release) }) });
    const { job } = await one.operations.submitJob(asking('echo'));
    await working(await open());
    await passing(() => statusOf(one, job.id)).toBe('completed');
  });

  it('a runner that another has is listed as that one says, although what it runs was taken for its own', async () => {
    begin();
    const other = await open();
    const { runnerId, job, offered } = await running(other);
    const reader = await openPostgresStore({ url });
    let looks = 0;
    const one = await open({
      change: ({ lost }) => ({
        async lost(window) {
          looks += 1;
          // The first is that of its start.
          if (looks === 2) throw new Error('the connection was reset');
          return lost(window);
        },
        async ownJobs() {
          const stored = await reader.loadJob(job.id);
          return stored === undefined ? [] : [stored];
        },
      }),
    });
    const executions = [offered.executionId];
    const beat = { runnerId, timestamp: new Date().toISOString(), status: 'healthy', executions };
    // The runner beats where it is for as long as the other is waited for.
    const meanwhile = (holds: () => unknown): ReturnType<typeof expect.poll<unknown>> =>
      expect.poll(
        async () => {
          await other.operations.heartbeat(RunnerHeartbeat.parse({ ...beat, instanceId: 'runner' }));
          clock.advance(500);
          return holds();
        },
        { timeout: 15_000, interval: 15 },
      );
    await meanwhile(() => one.running()).toBe(1);
    const shown = async (): Promise<unknown> =>
      (await one.operations.listRunners()).map(({ status }) => status);
    await meanwhile(shown).toEqual(['healthy']);
    // Once what it was thought to run here is settled, nothing is left of it: it is counted where it is, and known.
    const counted = (engine: Engine): number => {
      const families = engine.operations.metrics().filter(({ name }) => name === 'jobforge_runners');
      const samples = families.flatMap((family) => ('samples' in family ? family.samples : []));
      return samples.reduce((sum, { value }) => sum + value, 0);
    };
    expect(counted(one)).toBe(1);
    await meanwhile(() => counted(one)).toBe(0);
    expect(one.running()).toBe(0);
    expect(counted(other)).toBe(1);
    expect((await patiently(one.operations.showRunner(runnerId))).status).toBe('healthy');
    await reader.close();
  }, 40_000);

  it('jobs that were claimed without its knowledge are found', async () => {
    begin();
    const one = await open();
    const other = await open({ change: ({ claim }) => ({ claim: losingOneAnswer(claim) }) });
    await seesOthers(one);
    const { job } = await one.operations.submitJob(asking('echo'));
    await working(other);
    await passing(() => statusOf(one, job.id)).toBe('completed');
  });

  it('a job that was taken for somebody who cancels it is found', async () => {
    begin();
    const one = await open();
    const other = await open({ change: ({ claimJob }) => ({ claimJob: losingOneAnswer(claimJob) }) });
    await seesOthers(one);
    const { job } = await one.operations.submitJob(asking('echo'));
    await expect(patiently(other.operations.cancelJob(job.id))).rejects.toMatchObject(unavailable);
    await working(other);
    await passing(() => statusOf(one, job.id)).toBe('completed');
  });

  it('jobs that were taken over without its knowledge are found', async () => {
    begin();
    const one = await open();
    const { job } = await running(one);
    const other = await open({ change: ({ takeOver }) => ({ takeOver: losingOneAnswer(takeOver) }) });
    await working(other);
    engines.shift();
    await one.stop();
    await passing(() => statusOf(other, job.id)).toBe('completed');
  });

  it('a runner that comes a second time brings what could not be handed over the first time', async () => {
    begin();
    const one = await open({ change: ({ release }) => ({ release: failingOnce(release) }) });
    const { runnerId, job, offered } = await running(one);
    const other = await open();
    await knows(other, runnerId);
    await expect(patiently(other.operations.pollRunner(runnerId, {}))).rejects.toMatchObject(unavailable);
    // Ends with the engine.
    offers(other, runnerId).catch(() => undefined);
    await passing(async () => other.running()).toBe(1);
    await patiently(succeed(other.operations, offered));
    expect(await other.operations.showJob(job.id)).toMatchObject({ status: 'completed', attempts: 1 });
  });

  it('what could not be handed over is found again where its runner does not come back', async () => {
    begin();
    const one = await open({ change: ({ release }) => ({ release: failingOnce(release) }) });
    const { runnerId, job } = await running(one);
    const other = await open();
    await knows(other, runnerId);
    await expect(patiently(other.operations.pollRunner(runnerId, {}))).rejects.toMatchObject(unavailable);
    await working(other);
    await passing(() => statusOf(one, job.id)).toBe('completed');
  });

  it('a runner that polls brings jobs that count as its own from the first moment', async () => {
    begin();
    const one = await open();
    const { runnerId, job } = await running(one);
    let id = 0;
    let beats = 0;
    let reading = (): void => undefined;
    const isReading = new Promise<void>((resolve) => (reading = resolve));
    let goOn = (): void => undefined;
    const held = new Promise<void>((resolve) => (goOn = resolve));
    const other = await open({
      change(store) {
        ({ id } = store);
        return {
          async beat(said) {
            const answer = await store.beat(said);
            beats += 1;
            return answer;
          },
        };
      },
      changeStore: ({ loadJobs }) => ({
        async loadJobs(seqs) {
          reading();
          await held;
          return loadJobs(seqs);
        },
      }),
    });
    await knows(other, runnerId);
    // It has submitted later ones: nothing that is older counts as its own where nobody says so.
    await other.operations.submitJob(asking('rare'));
    offers(other, runnerId).catch(() => undefined);
    await patiently(isReading);
    const before = beats;
    await expect
      .poll(() => {
        clock.advance(1_000);
        return beats;
      })
      .toBeGreaterThan(before);
    const third = await openPostgresStore({ url });
    const taken = await (await third.shared?.join())?.takeOver(id);
    await third.close();
    goOn();
    expect(taken?.map((stored) => stored.id)).toEqual([job.id]);
  });
});
