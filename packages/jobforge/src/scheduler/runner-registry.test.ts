import { RunnerHeartbeat } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import type { StubExecution } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

const finish = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};
const beat = (runnerId: string, overrides = {}) =>
  RunnerHeartbeat.parse({ runnerId, timestamp: new Date().toISOString(), status: 'healthy', ...overrides });
/** Beats so close together that a test can wait for three of them to be missed. */
const CLOSE = { heartbeatIntervalMs: 40, leaseMs: 120 };

describe('registration', () => {
  it('knows a runner again by name and machine, else by name and address', async () => {
    const { forge, runner, runnerId } = await test.pair({ form: 'json', handle: finish });
    const register = async (overrides: Record<string, unknown>): Promise<string> =>
      (await forge.operations.registerRunner(runner.registration(overrides))).runnerId;
    expect(await register({ instanceId: 'i2' })).toBe(runnerId);
    expect(await register({ name: 'other' })).not.toBe(runnerId);
    const onMachine = await register({ machineId: 'm1' });
    expect(await register({ machineId: 'm1', healthCheckEndpoint: `${runner.url}/health?moved` })).toBe(
      onMachine,
    );
    expect(await register({ machineId: 'm2' })).not.toBe(onMachine);
    expect(await forge.operations.listRunners()).toHaveLength(4);
  });

  it('refuses another major of the contract', async () => {
    const { forge, runner } = await test.pair({ form: 'json', handle: finish });
    const foreign = runner.registration({ contractVersion: '2.0.0' });
    await expect(forge.operations.registerRunner(foreign)).rejects.toMatchObject({
      envelope: { code: 'CONTRACT_MISMATCH' },
    });
  });

  it('gives one id to two that register at once', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form: 'json', handle: finish });
    const replies = await Promise.all(
      [1, 2].map(() => forge.operations.registerRunner(runner.registration())),
    );
    expect(new Set(replies.map(({ runnerId }) => runnerId)).size).toBe(1);
  });
});

describe('beats', () => {
  it('of a runner that is not known say so, and change nothing', async () => {
    const { forge } = await test.pair({ form: 'json', handle: finish });
    expect(await forge.operations.heartbeat(beat('my-runner-001'))).toMatchObject({ known: false });
    expect(await forge.operations.listRunners()).toHaveLength(1);
  });

  it('of an earlier process are not taken for the runner', async () => {
    const { forge, runnerId } = await test.pair({ form: 'json', handle: finish });
    expect(await forge.operations.heartbeat(beat(runnerId, { instanceId: 'i1' }))).toMatchObject({
      known: true,
      receiving: true,
    });
    expect(await forge.operations.heartbeat(beat(runnerId, { instanceId: 'i0' }))).toMatchObject({
      known: false,
    });
  });

  it('tell a runner to stop what is not its own any more', async () => {
    const { forge, runnerId } = await test.pair({ form: 'json', handle: finish });
    expect(await forge.operations.heartbeat(beat(runnerId, { executions: ['stale'] }))).toMatchObject({
      directives: [{ kind: 'cancel', executionId: 'stale', reason: 'lease-lost' }],
    });
  });

  it('that say draining keep new work away', async () => {
    const { forge, runnerId } = await test.pair({ form: 'json', handle: finish });
    expect(await forge.operations.heartbeat(beat(runnerId, { draining: true }))).toMatchObject({
      receiving: false,
    });
    const job = await forge.submit({ capability: 'echo', input: {} });
    expect(await job.show()).toMatchObject({ status: 'queued', waitingFor: 'stub is draining' });
    await forge.operations.heartbeat(beat(runnerId));
    expect(await job.result()).toMatchObject({ success: true });
  });
});

describe('a runner whose beats do not arrive', () => {
  it('lives while its health endpoint answers, and is offline when it does not', async () => {
    const { forge, runner, runnerId } = await test.pair({ form: 'json', limits: CLOSE, handle: finish });
    const seen = async (): Promise<string> => (await forge.operations.showRunner(runnerId)).lastHeartbeatAt;
    const first = await seen();
    await expect.poll(seen).not.toBe(first);
    expect(await forge.operations.showRunner(runnerId)).toMatchObject({ status: 'healthy' });
    runner.health = { status: 503, body: '{"status":"unhealthy"}' };
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('unhealthy');
    runner.health = undefined;
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('offline');
    runner.health = { status: 200, body: '{"status":"healthy"}' };
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('healthy');
    expect(await (await forge.submit({ capability: 'echo', input: {} })).result()).toMatchObject({
      success: true,
    });
  });

  it('loses what it was running when it is offline', async () => {
    const { forge, runner } = await test.pair({ form: 'json', limits: CLOSE, handle: () => undefined });
    const job = await forge.submit({ capability: 'echo', input: {} });
    await runner.execution(0);
    runner.health = undefined;
    const other = await test.runner({ form: 'json', handle: finish });
    await forge.operations.registerRunner(other.registration({ name: 'other' }));
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
  });
});

describe('a runner that cannot be reached', () => {
  it('gets nothing more, and its job goes to another at no cost', async () => {
    const forge = await test.forge();
    const gone = await test.runner({ form: 'json', handle: finish });
    await gone.close();
    await forge.operations.registerRunner(gone.registration({ name: 'a-gone' }));
    const job = await forge.submit({ capability: 'echo', input: {}, retryPolicy: { maxRetries: 0 } });
    await expect
      .poll(async () => (await job.show()).waitingFor)
      .toBe('a-gone cannot be reached at its execute URL');
    const runner = await test.runner({ form: 'json', handle: finish });
    await forge.operations.registerRunner(runner.registration({ name: 'b-there' }));
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  });
});

describe('deregistration', () => {
  it('lets what runs finish, and then forgets the runner', async () => {
    const { forge, runner, runnerId } = await test.pair({
      form: 'batch',
      handle: (execution) => execution.accept(),
    });
    const job = await forge.submit({ capability: 'echo', input: {} });
    const execution = await runner.execution(0);
    expect(await forge.operations.deregisterRunner(runnerId, { instanceId: 'another' })).toEqual({
      runnerId,
      deregistered: false,
    });
    expect(await forge.operations.deregisterRunner(runnerId, { instanceId: 'i1' })).toEqual({
      runnerId,
      deregistered: true,
    });
    execution.succeed('done');
    expect(await job.result()).toMatchObject({ data: 'done' });
    await expect.poll(() => forge.operations.listRunners(), { timeout: 5_000 }).toEqual([]);
    await expect(forge.operations.deregisterRunner(runnerId, {})).rejects.toMatchObject({
      envelope: { code: 'RUNNER_NOT_FOUND' },
    });
  });
});
