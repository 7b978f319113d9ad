import { afterEach, describe, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf } from '../testing/dial-in-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
const folders: string[] = [];
afterEach(async () => {
  await test.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };
const WRITES = { capabilities: [{ ...ECHO, effects: 'writes' }] };
const ONCE = { success: true, metadata: { attempts: 1 } };

describe.each([
  ['idempotent', {}],
  ['writes', WRITES],
])('a socket that breaks, %s', (_effects, capabilities) => {
  it('before the claim: the offer goes back at no cost', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit(echo);
    const lost = await first.offer();
    first.cut();
    const second = await test.dialIn(forge.url, { ...capabilities, held: [] });
    const offered = await second.offer();
    expect(offered.executionId).not.toBe(lost.executionId);
    expect(await second.accept(lost)).toBe('LEASE_SUPERSEDED');
    await second.accept(offered);
    second.succeed(offered);
    expect(await job.result()).toMatchObject(ONCE);
  });

  it('after the claim, before it was confirmed: what the process does not hold it never began', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit(echo);
    await first.accept(await first.offer());
    first.cut();
    const second = await test.dialIn(forge.url, { ...capabilities, held: [] });
    const offered = await second.offer();
    await second.accept(offered);
    second.succeed(offered);
    expect(await job.result()).toMatchObject(ONCE);
  });

  it('while the execution runs: it is asked for again and goes on', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    const told = eventsOf(offered, [
      { type: 'accepted' },
      { type: 'log', level: 'info', message: 'one' },
      { type: 'log', level: 'info', message: 'two' },
      { type: 'succeeded', data: 7 },
    ]);
    first.tell(offered, ...told.slice(0, 2));
    await first.next('acknowledged');
    first.cut();
    const second = await test.dialIn(forge.url, { ...capabilities, held: [offered.executionId] });
    expect(await second.offer()).toMatchObject({
      executionId: offered.executionId,
      leaseToken: offered.leaseToken,
    });
    second.tell(offered, ...told);
    expect((await second.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 3 },
    ]);
    expect(await job.result()).toMatchObject({ ...ONCE, data: 7 });
    const seen: string[] = [];
    for await (const { type } of job.events()) seen.push(type);
    expect(seen.filter((type) => type === 'job.log')).toHaveLength(2);
  });

  it('after the result and before its acknowledgement: the result counts once, and is acknowledged when told again', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    first.succeed(offered, 'first');
    first.cut();
    expect(await job.result()).toMatchObject({ ...ONCE, data: 'first' });
    const second = await test.dialIn(forge.url, { ...capabilities, held: [offered.executionId] });
    expect((await second.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    second.succeed(offered, 'again');
    expect((await second.next('acknowledged')).executions).toEqual([
      { executionId: offered.executionId, seq: 1 },
    ]);
    expect(await job.result()).toMatchObject({ data: 'first' });
  });
});

describe('what a runner holds', () => {
  it('and what nobody knows is denied', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url, { held: ['never-was'] });
    expect((await runner.next('acknowledged')).executions).toEqual([
      { executionId: 'never-was', seq: 0, code: 'EXECUTION_NOT_FOUND' },
    ]);
  });

  it('is not touched when it registers anew over the same socket', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.register({ held: [] });
    expect(await runner.accept(offered)).toBeUndefined();
    runner.succeed(offered);
    expect(await job.result()).toMatchObject(ONCE);
  });

  it.each([
    ['idempotent', {}],
    ['writes', WRITES],
  ])('goes on in another process that kept the result, %s', async (_effects, capabilities) => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    first.cut();
    const second = await test.dialIn(forge.url, {
      ...capabilities,
      instanceId: 'i2',
      held: [offered.executionId],
    });
    expect(await second.offer()).toMatchObject({ executionId: offered.executionId, instanceId: 'i2' });
    second.succeed(offered);
    expect(await job.result()).toMatchObject(ONCE);
  });

  it.each([
    ['idempotent', {}, { success: true, metadata: { attempts: 2 } }],
    ['writes', WRITES, { success: false, error: { code: 'RUNNER_LOST' } }],
  ])('and what another process does not hold is lost, %s', async (_effects, capabilities, result) => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
    await first.accept(await first.offer());
    first.cut();
    const second = await test.dialIn(forge.url, { ...capabilities, instanceId: 'i2', held: [] });
    void second.offer().then(async (offered) => {
      await second.accept(offered);
      second.succeed(offered);
    });
    expect(await job.result()).toMatchObject(result);
  });

  it.each([
    ['idempotent', {}, { success: true, metadata: { attempts: 2 } }],
    ['writes', WRITES, { success: false, error: { code: 'RUNNER_LOST' } }],
  ])('is given up when its runner does not come back, %s', async (_effects, capabilities, result) => {
    const forge = await test.listening({ limits: { leaseMs: 100 } });
    const first = await test.dialIn(forge.url, capabilities);
    const job = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
    const offered = await first.offer();
    await first.accept(offered);
    first.cut();
    const other = await test.dialIn(forge.url, { name: 'other', machineId: 'm2', ...capabilities });
    void other.offer().then(async (again) => {
      await other.accept(again);
      other.succeed(again);
    });
    expect(await job.result()).toMatchObject(result);
  });
});

describe('what announces that it writes', () => {
  const ANNOUNCES = { capabilities: [{ ...ECHO, effects: 'writes', announcesWrites: true }] };
  it.each([
    ['has not', false, { success: true, metadata: { attempts: 2 } }],
    ['has', true, { success: false, error: { code: 'RUNNER_LOST' } }],
  ])('and %s announced it', async (_has, announced, result) => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url, ANNOUNCES);
    const job = await forge.submit({ capability: 'echo', input: { text: 'hi' } });
    const offered = await first.offer();
    await first.accept(offered);
    if (announced) {
      first.tell(offered, ...eventsOf(offered, [{ type: 'writing' }], 1));
      expect((await first.next('acknowledged')).executions).toMatchObject([{ seq: 1 }]);
    }
    first.cut();
    const second = await test.dialIn(forge.url, { ...ANNOUNCES, instanceId: 'i2', held: [] });
    void second.offer().then(async (again) => {
      await second.accept(again);
      second.succeed(again);
    });
    expect(await job.result()).toMatchObject(result);
  });
});

describe('JobForge is restarted', () => {
  const folder = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'jobforge-'));
    folders.push(made);
    return `sqlite:${join(made, 'jobs.db')}`;
  };

  it.each([
    ['idempotent', {}],
    ['writes', WRITES],
  ])('and what its runner holds goes on, %s', async (_effects, capabilities) => {
    const store = folder();
    const before = await test.listening({ store });
    const first = await test.dialIn(before.url, capabilities);
    const { id } = await before.submit(echo);
    const offered = await first.offer();
    await first.accept(offered);
    await before.stop({ drainMs: 0 });
    expect(await first.closed).toBe(1001);
    const after = await test.listening({ store });
    const second = await test.dialIn(after.url, { ...capabilities, held: [offered.executionId] });
    expect(await second.offer()).toMatchObject({ executionId: offered.executionId });
    second.succeed(offered);
    expect(await after.job(id).result()).toMatchObject(ONCE);
  });

  it.each([
    ['idempotent', {}],
    ['writes', WRITES],
  ])('and what its runner never began is offered anew, %s', async (_effects, capabilities) => {
    const store = folder();
    const before = await test.listening({ store });
    const first = await test.dialIn(before.url, capabilities);
    const { id } = await before.submit(echo);
    await first.offer();
    await before.stop({ drainMs: 0 });
    const after = await test.listening({ store });
    const second = await test.dialIn(after.url, { ...capabilities, held: [] });
    const offered = await second.offer();
    await second.accept(offered);
    second.succeed(offered);
    expect(await after.job(id).result()).toMatchObject(ONCE);
  });

  it('and a runner that does not come back loses what it had', async () => {
    const store = folder();
    const before = await test.listening({ store });
    const first = await test.dialIn(before.url, WRITES);
    const { id } = await before.submit(echo);
    await first.accept(await first.offer());
    await before.stop({ drainMs: 0 });
    const after = await test.listening({ store, limits: { leaseMs: 50, reconnectMs: 100 } });
    expect(await after.job(id).result()).toMatchObject({ error: { code: 'RUNNER_LOST' } });
  });
});
