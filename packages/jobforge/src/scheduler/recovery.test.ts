import { JobSubmission, RunnerHeartbeat } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { createJobHandle } from '../embedded/job-handle.js';
import { systemClock } from '../model/clock.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import { silentLog } from '../model/log.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';
import { createEngine, type Engine } from './engine.js';

const test = openForges();
const lives: { engine: Engine; kill: () => void }[] = [];
const stores: Store[] = [];
afterEach(async () => {
  for (const { engine, kill } of lives.splice(0)) {
    kill();
    await engine.stop();
  }
  await test.close();
  for (const store of stores.splice(0)) await store.close();
});

/** A life of JobForge over a store that outlives it: after `kill` nothing of it is written any more, as after kill -9. */
async function live(store: Store): Promise<{ engine: Engine; kill: () => void }> {
  let dead = false;
  const mortal: Store = {
    ...store,
    commit: (batch) => (dead ? Promise.resolve(batch.map(() => 'done' as const)) : store.commit(batch)),
    close: () => Promise.resolve(),
  };
  const parts = { store: mortal, clock: systemClock, random: Math.random, log: silentLog };
  const engine = createEngine({ ...parts, limits: { ...DEFAULT_LIMITS, leaseMs: 400 } });
  await engine.start();
  const life = { engine, kill: () => void (dead = true) };
  lives.push(life);
  return life;
}

async function newStore(): Promise<Store> {
  const store = await openSqliteStore({ location: ':memory:' });
  stores.push(store);
  return store;
}

function acceptAndLog(execution: StubExecution): void {
  execution.accept();
  execution.send({ type: 'log', level: 'info', message: 'one' });
}

const submission = (id: string, capability = 'echo', metadata = {}): JobSubmission =>
  JobSubmission.parse({ id, type: 'x', payload: { type: capability, data: { text: id } }, metadata });

describe('after JobForge was killed', () => {
  it('a job that waited still waits and then runs', async () => {
    const store = await newStore();
    const first = await live(store);
    await first.engine.operations.submitJob(submission('a'));
    first.kill();
    const { engine } = await live(store);
    expect(await engine.operations.showJob('a')).toMatchObject({
      status: 'queued',
      request: { payload: { data: { text: 'a' } } },
    });
    const runner = await test.runner({ form: 'batch', handle: finish });
    await engine.operations.registerRunner(runner.registration());
    expect(await createJobHandle(engine.operations, 'a').result()).toMatchObject({ success: true });
  });

  it('an execution goes on where it was, and ends once', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({
      form: 'batch',
      handle(execution) {
        acceptAndLog(execution);
        if (runner.executions.length > 1) execution.succeed();
      },
    });
    await first.engine.operations.registerRunner(runner.registration());
    await first.engine.operations.submitJob(submission('a'));
    for await (const { type } of first.engine.operations.jobEvents('a')) if (type === 'job.log') break;
    first.kill();
    runner.executions[0]?.drop();
    const { engine } = await live(store);
    const job = createJobHandle(engine.operations, 'a');
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(runner.executions.at(-1)?.request).toEqual(runner.executions[0]?.request);
    const ids: string[] = [];
    for await (const event of job.events()) ids.push(event.id);
    expect(ids).toEqual(['0.0', '0.1', '1.0', '1.1', '1.2']);
  });

  it.each([
    ['idempotent', { success: true, metadata: { attempts: 2 } }],
    ['writes', { success: false, error: { code: 'RUNNER_LOST' } }],
  ])('an execution without a stream is lost: %s', async (effects, result) => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({
      form: 'json',
      handle: (execution) => void (runner.executions.length > 1 && finish(execution)),
    });
    await first.engine.operations.registerRunner(
      runner.registration({ capabilities: [{ ...ECHO, effects }] }),
    );
    await first.engine.operations.submitJob(submission('a'));
    await runner.execution(0);
    first.kill();
    const { engine } = await live(store);
    expect(await createJobHandle(engine.operations, 'a').result()).toMatchObject(result);
  });

  it('a runner that does not come back loses its execution after the grace', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({ form: 'ndjson', handle: (execution) => execution.accept() });
    await first.engine.operations.registerRunner(runner.registration());
    await first.engine.operations.submitJob(submission('a'));
    for await (const { type } of first.engine.operations.jobEvents('a')) if (type === 'job.started') break;
    first.kill();
    await runner.close();
    const { engine } = await live(store);
    const other = await test.runner({ form: 'ndjson', handle: finish });
    await engine.operations.registerRunner(other.registration({ name: 'other' }));
    expect(await createJobHandle(engine.operations, 'a').result()).toMatchObject({
      success: true,
      metadata: { attempts: 2 },
    });
  });

  it('an offer that was handed back is not taken for a run', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({
      form: 'json',
      handle: (execution) => execution.fail('RUNNER_DRAINING'),
    });
    await first.engine.operations.registerRunner(
      runner.registration({ capabilities: [{ ...ECHO, effects: 'writes' }] }),
    );
    await first.engine.operations.submitJob(submission('a'));
    await runner.execution(0);
    await expect.poll(async () => (await store.loadJob('a'))?.lease).toBeUndefined();
    first.kill();
    const { engine } = await live(store);
    expect(await engine.operations.showJob('a')).toMatchObject({
      status: expect.stringMatching(/queued|running/) as string,
    });
  });

  it('a process that took the place of the runner runs nothing a second time', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({
      form: 'batch',
      handle(execution) {
        if (runner.executions.length === 1) execution.accept();
        else execution.fail('INSTANCE_MISMATCH');
      },
    });
    const capabilities = [{ ...ECHO, effects: 'writes' }];
    await first.engine.operations.registerRunner(runner.registration({ capabilities }));
    await first.engine.operations.submitJob(submission('a'));
    for await (const { type } of first.engine.operations.jobEvents('a')) if (type === 'job.started') break;
    first.kill();
    const { engine } = await live(store);
    expect(await createJobHandle(engine.operations, 'a').result()).toMatchObject({
      success: false,
      error: { code: 'RUNNER_LOST' },
    });
    expect(runner.executions).toHaveLength(2);
  });

  it('a cancellation that the runner may have missed is told again', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
    await first.engine.operations.registerRunner(runner.registration());
    await first.engine.operations.submitJob(submission('a'));
    for await (const { type } of first.engine.operations.jobEvents('a')) if (type === 'job.started') break;
    const { seq = 0 } = (await store.loadJob('a')) ?? {};
    first.kill();
    await store.commit([{ kind: 'cancel-job', seq, reason: 'user' }]);
    await live(store);
    await expect.poll(() => runner.cancelled).toContain(runner.executions[0]?.request.executionId);
  });

  it('a job that was cancelled does not run again because its runner has left', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
    await first.engine.operations.registerRunner(runner.registration());
    await first.engine.operations.submitJob(submission('a'));
    await runner.execution(0);
    const { seq = 0 } = (await store.loadJob('a')) ?? {};
    const [{ id } = { id: '' }] = await store.loadRunners();
    first.kill();
    await store.commit([
      { kind: 'cancel-job', seq, reason: 'user' },
      { kind: 'remove-runner', id },
    ]);
    const { engine } = await live(store);
    expect(await createJobHandle(engine.operations, 'a').result()).toMatchObject({
      error: { code: 'EXECUTION_CANCELLED' },
    });
  });

  it('what an execution said stays before what comes when its runner has left', async () => {
    const store = await newStore();
    const first = await live(store);
    const logging = await test.runner({ form: 'batch', handle: acceptAndLog });
    await first.engine.operations.registerRunner(logging.registration());
    await first.engine.operations.submitJob(submission('a'));
    for await (const { type } of first.engine.operations.jobEvents('a')) if (type === 'job.log') break;
    const [{ id } = { id: '' }] = await store.loadRunners();
    first.kill();
    await store.commit([{ kind: 'remove-runner', id }]);
    const { engine } = await live(store);
    const runner = await test.runner({ form: 'batch', handle: finish });
    await engine.operations.registerRunner(runner.registration());
    const ids: string[] = [];
    for await (const event of engine.operations.jobEvents('a')) ids.push(event.id);
    expect(ids).toEqual(['0.0', '0.1', '1.1', '2.0', '2.1']);
  });

  it('a runner is offline until it is heard of', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({ form: 'batch', handle: finish });
    const { runnerId, registeredAt } = await first.engine.operations.registerRunner(runner.registration());
    first.kill();
    runner.health = undefined;
    const { engine } = await live(store);
    const { operations } = engine;
    expect(await operations.showRunner(runnerId)).toMatchObject({
      status: 'offline',
      lastHeartbeatAt: registeredAt,
    });
    await operations.submitJob(submission('a'));
    expect(await operations.showJob('a')).toMatchObject({ waitingFor: 'stub is offline' });
    expect(runner.executions).toHaveLength(0);
    await operations.heartbeat(
      RunnerHeartbeat.parse({ runnerId, timestamp: registeredAt, status: 'healthy' }),
    );
    expect(await operations.showRunner(runnerId)).toMatchObject({ status: 'healthy' });
    expect(await createJobHandle(operations, 'a').result()).toMatchObject({ success: true });
  });

  it('a runner that answers is asked at once', async () => {
    const store = await newStore();
    const first = await live(store);
    const runner = await test.runner({ form: 'json', handle: finish });
    const { runnerId } = await first.engine.operations.registerRunner(runner.registration());
    first.kill();
    const { engine } = await live(store);
    const status = async (): Promise<string> => (await engine.operations.showRunner(runnerId)).status;
    await expect.poll(status).toBe('healthy');
  });

  it('a runner is known whose old process left while the new one came', async () => {
    const store = await newStore();
    const { operations } = (await live(store)).engine;
    const runner = await test.runner({ form: 'json', handle: finish });
    const { runnerId } = await operations.registerRunner(runner.registration());
    await Promise.all([
      operations.registerRunner(runner.registration({ instanceId: 'i2' })),
      operations.deregisterRunner(runnerId, { instanceId: 'i1' }),
    ]);
    expect((await store.loadRunners()).map(({ id }) => id)).toEqual([runnerId]);
  });

  it('jobs that wait for a time, were cancelled or have ended are what they were', async () => {
    const store = await newStore();
    const first = await live(store);
    const { operations } = first.engine;
    const scheduledAt = new Date(Date.now() + 60_000).toISOString();
    await operations.submitJobs([
      submission('later', 'echo', { scheduledAt }),
      submission('gone'),
      submission('waits'),
    ]);
    await operations.cancelJob('gone');
    first.kill();
    const { engine } = await live(store);
    const states = await Promise.all(
      ['later', 'gone', 'waits'].map(async (id) => (await engine.operations.showJob(id)).status),
    );
    expect(states).toEqual(['pending', 'cancelled', 'queued']);
    expect(
      (await engine.operations.listJobs({ limit: 10, status: 'pending' })).items.map(({ id }) => id),
    ).toEqual(['later']);
  });
});

function finish(execution: StubExecution): void {
  execution.accept();
  execution.succeed();
}
