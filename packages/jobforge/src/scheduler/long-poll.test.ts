import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../model/clock.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { createManualClock } from '../testing/manual-clock.js';
import { dialInRegistration, eventsOf, type Offered } from '../testing/dial-in-runner.js';
import { poller } from '../testing/polling-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };
const ONCE = { success: true, metadata: { attempts: 1 } };

const ended = (offered: Offered, data: unknown = 1): object[] =>
  eventsOf(offered, [{ type: 'succeeded', data }], 1);

/** A runner that polls, and a job that it is offered. */
async function offeredIn(forge: Awaited<ReturnType<typeof test.listening>>) {
  const runner = await poller(forge.url);
  const polled = runner.offers();
  const job = await forge.submit(echo);
  const [offered] = await polled;
  if (offered === undefined) throw new Error('nothing was offered');
  return { runner, job, offered };
}

describe('a runner that polls', () => {
  it('is answered with an offer, claims it, and its result is on disk when it is acknowledged', async () => {
    const forge = await test.listening();
    const { runner, job, offered } = await offeredIn(forge);
    expect(offered).toMatchObject({ jobId: job.id, payload: { text: 'hi' } });
    expect(await runner.accept(offered)).toEqual({
      status: 200,
      body: { executionId: offered.executionId, accepted: true },
    });
    const log = eventsOf(offered, [{ type: 'accepted' }]);
    expect((await runner.tell(offered, ...log)).body).toMatchObject({ acknowledgedSeq: 0 });
    expect((await runner.tell(offered, ...ended(offered))).body).toMatchObject({ acknowledgedSeq: 1 });
    expect(await job.show()).toMatchObject({ status: 'completed' });
    expect(await runner.tell(offered, ...ended(offered, 2))).toMatchObject({
      status: 200,
      body: { acknowledgedSeq: 1 },
    });
    expect(await job.result()).toMatchObject({ ...ONCE, data: 1 });
  });

  it('is answered empty when there is nothing for it', async () => {
    const forge = await test.listening({ limits: { pollHoldMs: 20 } });
    const runner = await poller(forge.url);
    expect(await runner.poll()).toEqual([]);
  });

  it('gets no more than it asks for, and nothing where it asks for nothing', async () => {
    const forge = await test.listening({ limits: { pollHoldMs: 50 } });
    const runner = await poller(forge.url);
    for (let jobs = 0; jobs < 5; jobs += 1) await forge.submit(echo);
    expect(await runner.poll({ maxExecutions: 0 })).toEqual([]);
    expect(await runner.offers({ maxExecutions: 2 })).toHaveLength(2);
    expect((await runner.offers({ maxExecutions: 10 })).length).toBeGreaterThan(0);
  });

  it('that polls again has its first poll answered empty', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const first = forge.operations.pollRunner(runner.runnerId, { instanceId: 'i1' });
    const second = runner.offers();
    expect(await first).toMatchObject({ body: '{"frames":[]}' });
    const job = await forge.submit(echo);
    expect(await second).toMatchObject([{ jobId: job.id }]);
  });

  it('is answered with all that is offered in one turn', async () => {
    const forge = await test.listening({ limits: { maxInputBytesInMemory: 0 } });
    const runner = await poller(forge.url);
    const jobs = await Promise.all([1, 2, 3].map(() => forge.submit(echo)));
    const offered = await runner.offers();
    expect(offered.map(({ jobId }) => jobId)).toEqual(jobs.map(({ id }) => id));
  });

  it('is there from its registration on, and while it beats although it does not poll', async () => {
    const clock = createManualClock();
    const forge = await test.listening({ clock, limits: { heartbeatIntervalMs: 1_000 } });
    const { runnerId, post } = await poller(forge.url);
    const shown = () => forge.operations.showRunner(runnerId);
    expect(await shown()).toMatchObject({ status: 'healthy' });
    const beat = { runnerId, timestamp: new Date().toISOString(), status: 'healthy', stalledMs: 900 };
    expect((await post('/runners/heartbeat', beat)).body).toMatchObject({ receiving: true });
    for (let beats = 0; beats < 5; beats += 1) {
      clock.advance(1_000);
      await post('/runners/heartbeat', beat);
    }
    expect((await post('/runners/heartbeat', beat)).body).toMatchObject({ known: true, receiving: false });
    expect(await shown()).toMatchObject({ status: 'healthy', stalledMs: 900 });
    clock.advance(4_000);
    await expect.poll(async () => (await shown()).status).toBe('offline');
  });

  it('hears of a cancellation at once', async () => {
    const forge = await test.listening();
    const { runner, job, offered } = await offeredIn(forge);
    await runner.accept(offered);
    const told = runner.poll();
    await job.cancel();
    expect(await told).toEqual([
      {
        type: 'directives',
        directives: [{ kind: 'cancel', executionId: offered.executionId, reason: 'user' }],
      },
    ]);
    await runner.tell(offered, ...eventsOf(offered, [{ type: 'cancelled', reason: 'user' }], 1));
    expect(await job.result()).toMatchObject({ error: { code: 'EXECUTION_CANCELLED' } });
  });

  it('counts as receiving while it polls', async () => {
    const forge = await test.listening({ limits: { heartbeatIntervalMs: 100, pollHoldMs: 5 } });
    const runner = await poller(forge.url);
    const beat = { runnerId: runner.runnerId, timestamp: new Date().toISOString(), status: 'healthy' };
    await runner.poll();
    expect((await runner.post('/runners/heartbeat', beat)).body).toMatchObject({
      known: true,
      receiving: true,
    });
    await expect
      .poll(async () => (await runner.post('/runners/heartbeat', beat)).body)
      .toMatchObject({ known: true, receiving: false });
  });

  it('that hung up while it was polling gets nothing, and the job goes to its next poll at no cost', async () => {
    const pollHoldMs = 54_321;
    let held = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => (held = resolve));
    const clock: Clock = {
      now: systemClock.now,
      after(delayMs, wake) {
        if (delayMs === pollHoldMs) held();
        return systemClock.after(delayMs, wake);
      },
    };
    const forge = await test.listening({ clock, limits: { pollHoldMs } });
    const runner = await poller(forge.url);
    const sent = request(`${forge.url}/runners/${runner.runnerId}/poll`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'content-length': '2' },
    });
    sent.on('error', () => undefined);
    const hungUp = new Promise((resolve) => sent.once('close', resolve));
    sent.end('{}');
    await isHeld;
    sent.destroy();
    await hungUp;
    const job = await forge.submit(echo);
    const [offered] = await runner.offers();
    if (offered === undefined) throw new Error('nothing was offered');
    expect(offered.attempt).toBe(1);
    await runner.accept(offered);
    await runner.tell(offered, ...ended(offered));
    expect(await job.result()).toMatchObject(ONCE);
  });

  it('whose connection is reset under the answer gets it again with its next poll', async () => {
    const forge = await test.listening({ limits: { offerMs: 60_000 } });
    const { runnerId, offers } = await poller(forge.url);
    const socket = connect(Number(new URL(forge.url).port), '127.0.0.1');
    const head = `POST /runners/${runnerId}/poll HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: 2\r\n\r\n{}`);
    const job = await forge.submit(echo);
    await once(socket, 'data');
    socket.resetAndDestroy();
    expect(await offers()).toMatchObject([{ jobId: job.id, attempt: 1 }]);
  });

  it('that does not claim what it got loses it, also what must not be repeated', async () => {
    const forge = await test.listening({ limits: { offerMs: 40 } });
    const runner = await poller(forge.url, { capabilities: [{ ...ECHO, effects: 'writes' }] });
    const polled = runner.offers();
    const job = await forge.submit(echo);
    const [late] = await polled;
    const [again] = await runner.offers();
    if (late === undefined || again === undefined) throw new Error('nothing was offered');
    expect(await runner.accept(late)).toMatchObject({
      status: 409,
      body: { error: { code: 'LEASE_SUPERSEDED' } },
    });
    // On a busy machine this one may be too late as well: there is always another.
    let current: typeof again | undefined = again;
    while (current && (await runner.accept(current)).status !== 200) [current] = await runner.offers();
    if (current === undefined) throw new Error('nothing was offered again');
    await runner.tell(current, ...ended(current));
    expect(await job.result()).toMatchObject(ONCE);
  });

  it('and registers anew keeps what it holds', async () => {
    const forge = await test.listening();
    const { runner, job, offered } = await offeredIn(forge);
    await runner.accept(offered);
    expect(await runner.register({ held: [offered.executionId] })).toBe(runner.runnerId);
    expect(await runner.offers()).toMatchObject([
      { executionId: offered.executionId, leaseToken: offered.leaseToken },
    ]);
    await runner.tell(offered, ...ended(offered));
    expect(await job.result()).toMatchObject(ONCE);
  });
});

describe('a poll is refused', () => {
  it('of whom nobody knows', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    expect(await runner.post('/runners/nobody/poll', {})).toMatchObject({
      status: 404,
      body: { error: { code: 'RUNNER_NOT_FOUND' } },
    });
  });

  it('of another process, which is refused its registration while the first one polls', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    expect(await runner.post(`/runners/${runner.runnerId}/poll`, { instanceId: 'i2' })).toMatchObject({
      status: 409,
      body: { error: { code: 'INSTANCE_MISMATCH' } },
    });
    let polling = true;
    const loop = (async (): Promise<void> => {
      while (polling) await runner.poll();
    })();
    await expect.poll(async () => (await forge.operations.listRunners())[0]?.status).toBe('healthy');
    const registration = dialInRegistration({ delivery: { kind: 'long-poll' }, instanceId: 'i2' });
    expect(await runner.post('/runners/register', registration)).toMatchObject({
      status: 409,
      body: { error: { code: 'ALREADY_CONNECTED' } },
    });
    polling = false;
    await forge.stop({ drainMs: 0 });
    await loop.catch(() => undefined);
  });

  it('of a runner that is pushed to', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const pushed = dialInRegistration({
      delivery: undefined,
      healthCheckEndpoint: 'http://127.0.0.1:1/health',
    });
    const { body } = await runner.post('/runners/register', { ...pushed, machineId: 'm9' });
    expect(await runner.post(`/runners/${String(body['runnerId'])}/poll`, {})).toMatchObject({ status: 400 });
  });

  it('with word to come again when JobForge stops', async () => {
    const clock = createManualClock();
    const forge = await test.listening({ clock });
    const runner = await poller(forge.url);
    clock.advance(1);
    const polled = runner.poll();
    const heardAt = async (): Promise<string | undefined> =>
      (await forge.operations.listRunners())[0]?.lastHeartbeatAt;
    await expect.poll(heardAt).toBe(new Date(clock.now()).toISOString());
    await forge.stop();
    expect(await polled).toEqual([
      { type: 'directives', directives: [{ kind: 'reconnect', afterMs: 1_000 }] },
    ]);
  });
});

describe('a claim or a report', () => {
  it.each([
    ['of what was never', { id: 'never-was', status: 404, code: 'EXECUTION_NOT_FOUND' }],
    ['with another token', { id: undefined, status: 409, code: 'LEASE_SUPERSEDED' }],
  ])('%s is refused', async (_what, { id, status, code }) => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const polled = runner.offers();
    await forge.submit(echo);
    const [offered] = await polled;
    const path = `/executions/${id ?? offered?.executionId}`;
    const leaseToken = 'x'.repeat(36);
    expect(await runner.post(`${path}/accept`, { leaseToken })).toMatchObject({
      status,
      body: { error: { code } },
    });
    const events = eventsOf({ executionId: 'x' }, [{ type: 'succeeded' }]);
    expect(await runner.post(`${path}/events`, { leaseToken, events })).toMatchObject({
      status,
      body: { error: { code } },
    });
  });
});
