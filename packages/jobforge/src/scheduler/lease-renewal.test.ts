import { afterEach, describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };

async function post(url: string, body: object): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

describe('one beat', () => {
  it('renews the leases of all that it names, also of a runner whose socket is gone, and of no other', async () => {
    const clock = createManualClock(Date.now());
    const forge = await test.listening({ clock });
    const capabilities = [{ ...ECHO, effects: 'writes' }];
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register({ capabilities });
    const jobs = [await forge.submit(echo), await forge.submit(echo), await forge.submit(echo)];
    const offers = [await runner.offer(), await runner.offer(), await runner.offer()];
    for (const offered of offers) expect(await runner.accept(offered)).toBeUndefined();
    runner.cut();
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('offline');

    const held = offers.slice(0, 2).map(({ executionId }) => executionId);
    for (let beats = 0; beats < 2; beats++) {
      clock.advance(15_000);
      const timestamp = new Date(clock.now()).toISOString();
      const beat = { runnerId, instanceId: 'i1', timestamp, status: 'healthy', executions: held };
      expect((await post(`${forge.url}/runners/heartbeat`, beat)).body).toMatchObject({ known: true });
    }
    const [kept, alsoKept, lost] = jobs;
    expect(await lost?.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
    expect([(await kept?.show())?.status, (await alsoKept?.show())?.status]).toEqual(['running', 'running']);

    const back = await test.socket(forge.url);
    await back.register({ capabilities, held });
    for (const offered of offers.slice(0, 2)) back.succeed(offered);
    expect(await kept?.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(await alsoKept?.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  });
});

describe('a runner that does not come back within the grace', () => {
  it.each([
    ['none', { success: true, metadata: { attempts: 2 } }],
    ['idempotent', { success: true, metadata: { attempts: 2 } }],
    ['writes', { success: false, error: { code: 'RUNNER_LOST' }, metadata: { attempts: 1 } }],
  ] as const)('has what has the effects %s end as they say', async (effects, end) => {
    const clock = createManualClock(Date.now());
    const forge = await test.listening({ clock });
    const capabilities = [{ ...ECHO, effects }];
    const runner = await test.socket(forge.url);
    await runner.register({ capabilities });
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 1 } });
    await runner.accept(await runner.offer());
    runner.cut();
    await expect.poll(async () => (await forge.operations.listRunners())[0]?.status).toBe('offline');
    clock.advance(19_000);
    expect((await job.show()).status).toBe('running');
    const other = await test.socket(forge.url);
    await other.register({ capabilities, name: 'other', machineId: 'm2' });
    clock.advance(3_000);
    if (effects !== 'writes') {
      // Its next attempt is due at once, by the clock that the test moves.
      await expect
        .poll(() => {
          clock.advance(1);
          return other.frames.some(({ type }) => type === 'offers');
        })
        .toBe(true);
      const offered = await other.offer();
      await other.accept(offered);
      other.succeed(offered);
    }
    expect(await job.result()).toMatchObject(end);
  });
});

describe('JobForge that stops', () => {
  it('takes nothing new, says so, lets what runs end and keeps its result', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    const result = job.result();
    const stopping = forge.stop({ drainMs: 20_000 });
    const submission = { type: 'echo', payload: { type: 'echo', data: {} } };
    expect(await post(`${forge.url}/jobs`, submission)).toMatchObject({
      status: 503,
      body: { error: { code: 'SHUTTING_DOWN', retryable: true } },
    });
    expect((await fetch(`${forge.url}/readyz`)).status).toBe(503);
    const beat = { runnerId, instanceId: 'i1', timestamp: new Date().toISOString(), status: 'healthy' };
    expect((await post(`${forge.url}/runners/heartbeat`, beat)).body).toMatchObject({
      known: true,
      receiving: false,
    });
    runner.succeed(offered);
    expect(await result).toMatchObject({ success: true });
    expect((await runner.next('directives')).directives).toMatchObject([{ kind: 'reconnect' }]);
    expect(await stopping).toEqual({ handedBack: 0 });
  });
});
