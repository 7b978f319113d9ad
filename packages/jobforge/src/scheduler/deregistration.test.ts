import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { poller } from '../testing/polling-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };
/** So long that nothing of this is decided by a lease or an offer that runs out. */
const PATIENT = { limits: { leaseMs: 3_600_000, offerMs: 3_600_000 } };
const withEffects = (effects: string) => ({ capabilities: [{ ...ECHO, effects }] });
const other = { name: 'other', machineId: 'm2', instanceId: 'i2' };

describe('a runner that leaves over its socket without ending what it was given', () => {
  it('costs a job nothing that it had not begun', async () => {
    const forge = await test.listening(PATIENT);
    const first = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    await first.offer();
    first.send({ type: 'deregister', reason: 'done' });
    expect(await first.closed).toBe(1000);
    const second = await test.dialIn(forge.url, other);
    const offered = await second.offer();
    await second.accept(offered);
    second.succeed(offered);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  });

  it.each([
    ['of its own accord', false],
    ['and hangs up at once', true],
  ])('has what may be repeated run elsewhere: %s', async (_how, hangsUp) => {
    const forge = await test.listening(PATIENT);
    const first = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    await first.accept(await first.offer());
    first.send({ type: 'deregister', reason: 'done' });
    if (hangsUp) first.socket.close(1000);
    await first.closed;
    const second = await test.dialIn(forge.url, other);
    const offered = await second.offer();
    expect(offered).toMatchObject({ jobId: job.id, attempt: 2 });
    await second.accept(offered);
    second.succeed(offered);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
    expect((await forge.operations.listRunners()).map(({ name }) => name)).toEqual(['other']);
  });

  it('fails what must not be repeated', async () => {
    const forge = await test.listening(PATIENT);
    const first = await test.dialIn(forge.url, withEffects('writes'));
    const job = await forge.submit(echo);
    await first.accept(await first.offer());
    first.send({ type: 'deregister', reason: 'done' });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
    await expect.poll(() => forge.operations.listRunners(), { timeout: 15_000 }).toEqual([]);
  });
});

describe('a runner that polls and leaves', () => {
  it('gives back at once what it had begun', async () => {
    const forge = await test.listening(PATIENT);
    const first = await poller(forge.url);
    const job = await forge.submit(echo);
    const [offered] = await first.offers();
    if (offered === undefined) throw new Error('nothing was offered');
    await first.accept(offered);
    expect(await first.post(`/runners/${first.runnerId}/deregister`, { instanceId: 'i1' })).toMatchObject({
      body: { deregistered: true },
    });
    const second = await test.dialIn(forge.url, other);
    expect(await second.offer()).toMatchObject({ jobId: job.id, attempt: 2 });
    expect((await first.tell(offered)).body).not.toHaveProperty('acknowledgedSeq');
  });
});

describe('a runner that is pushed to and leaves', () => {
  it('costs a job nothing that it had not claimed when its stream broke', async () => {
    const forge = await test.listening(PATIENT);
    const runner = await test.runner({ form: 'batch', handle: () => undefined });
    const { runnerId } = await forge.operations.registerRunner(runner.registration());
    const job = await forge.submit(echo);
    const execution = await runner.execution(0);
    await forge.operations.deregisterRunner(runnerId, { instanceId: 'i1' });
    execution.drop();
    const second = await test.dialIn(forge.url, other);
    expect(await second.offer()).toMatchObject({ jobId: job.id, attempt: 1 });
  });

  it('may finish, and is not waited for once its stream breaks', async () => {
    const forge = await test.listening(PATIENT);
    const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
    const { runnerId } = await forge.operations.registerRunner(runner.registration(withEffects('writes')));
    const job = await forge.submit(echo);
    const execution = await runner.execution(0);
    await expect.poll(async () => (await job.show()).status, { timeout: 15_000 }).toBe('running');
    await forge.operations.deregisterRunner(runnerId, { instanceId: 'i1' });
    expect(await job.show()).toMatchObject({ status: 'running' });
    execution.drop();
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
  });
});
