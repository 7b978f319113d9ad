import { WebSocket } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import { systemClock, type Clock } from '../model/clock.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { dialInRegistration, eventsOf } from '../testing/dial-in-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };
const other = { name: 'other', machineId: 'm2' };

describe('words that the contract does not allow', () => {
  it.each([
    ['no JSON', '{oops'],
    ['no object', '[]'],
    ['no type', '{"a":1}'],
    ['a type that is no text', '{"type":7}'],
    ['a registration without a name', '{"type":"register","registration":{}}'],
    [
      'nesting without end',
      `{"type":"register","registration":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ],
    [
      'a beat before the registration',
      '{"type":"heartbeat","heartbeat":{"runnerId":"x","timestamp":"2026-01-01T00:00:00.000Z","status":"healthy"}}',
    ],
    ['a claim before the registration', '{"type":"accept","executions":[]}'],
  ])('are refused for good: %s', async (_what, text) => {
    const forge = await test.listening();
    const socket = await test.socket(forge.url);
    socket.socket.send(text);
    expect((await socket.next('refused')).error).toMatchObject({
      code: 'VALIDATION_ERROR',
      retryable: false,
    });
    expect(await socket.closed).toBe(4003);
    await test.dialIn(forge.url);
  });

  it('end the socket that they came over, and no other', async () => {
    const forge = await test.listening();
    const good = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await good.offer();
    await good.accept(offered);
    const bad = await test.dialIn(forge.url, other);
    bad.tell(offered, { executionId: offered.executionId, seq: -1, type: 'succeeded' });
    expect(await bad.closed).toBe(4003);
    good.succeed(offered);
    expect(await job.result()).toMatchObject({ success: true });
  });

  it('are passed over where they are of a later version', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    runner.send({ type: 'hologram', executions: 'none' });
    const job = await forge.submit(echo);
    expect(await runner.offer()).toMatchObject({ jobId: job.id });
  });

  it('are refused as bytes', async () => {
    const forge = await test.listening();
    const socket = await test.socket(forge.url);
    socket.socket.send(Buffer.from('{"type":"register"}'));
    expect(await socket.closed).toBe(4003);
  });

  it('are cut off where they are too large', async () => {
    const forge = await test.listening();
    const socket = await test.dialIn(forge.url);
    socket.socket.send('x'.repeat(5 * 1024 * 1024));
    expect(await socket.closed).toBe(1009);
    expect(forge.operations.readiness()).toMatchObject({ ok: true });
  });
});

describe('a registration over a socket', () => {
  it.each([
    ['of another delivery', { delivery: { kind: 'long-poll' } }, 'VALIDATION_ERROR'],
    ['of another major', { contractVersion: '9.0.0' }, 'CONTRACT_MISMATCH'],
    ['without a process', { instanceId: undefined }, 'VALIDATION_ERROR'],
  ])('%s is refused for good', async (_what, overrides, code) => {
    const forge = await test.listening();
    const socket = await test.socket(forge.url);
    socket.send({ type: 'register', registration: dialInRegistration(overrides) });
    expect((await socket.next('refused')).error).toMatchObject({ code, retryable: false });
    expect(await socket.closed).toBe(4000);
  });

  it('that does not come is not waited for', async () => {
    const forge = await test.listening({ limits: { handshakeMs: 30 } });
    expect(await (await test.socket(forge.url)).closed).toBe(4004);
  });

  it('does not come by a request', async () => {
    const forge = await test.listening();
    await expect(forge.operations.registerRunner(dialInRegistration())).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR', message: expect.stringContaining('/runners/connect') as string },
    });
  });
});

describe('two processes of one runner', () => {
  it('the second is refused while the first is there', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url);
    const second = await test.socket(forge.url);
    second.send({ type: 'register', registration: dialInRegistration({ instanceId: 'i2' }) });
    expect((await second.next('refused')).error).toMatchObject({
      code: 'ALREADY_CONNECTED',
      retryable: false,
    });
    expect(await second.closed).toBe(4000);
    const job = await forge.submit(echo);
    expect(await first.offer()).toMatchObject({ jobId: job.id });
  });

  it('of which the first does not answer: the second takes its place', async () => {
    // Three seconds are a tenth of one here.
    const clock: Clock = { ...systemClock, after: (ms, wake) => systemClock.after(ms / 30, wake) };
    const forge = await test.listening({ clock });
    const first = await test.socket(forge.url, { autoPong: false });
    await first.register();
    const second = await test.dialIn(forge.url, { instanceId: 'i2' });
    expect(await first.closed).toBe(4001);
    const job = await forge.submit(echo);
    expect(await second.offer()).toMatchObject({ jobId: job.id });
  });

  it('that come at once: one of them is taken', async () => {
    const forge = await test.listening();
    const sockets = await Promise.all([test.socket(forge.url), test.socket(forge.url)]);
    const answers = await Promise.all(
      sockets.map(async (socket, index) => {
        socket.send({ type: 'register', registration: dialInRegistration({ instanceId: `i${index}` }) });
        return Promise.race([socket.next('ready'), socket.next('refused')]);
      }),
    );
    expect(answers.map(({ type }) => type).sort()).toEqual(['ready', 'refused']);
  });

  it('a second socket of the same process takes the place of the first', async () => {
    const forge = await test.listening();
    const first = await test.dialIn(forge.url);
    const second = await test.dialIn(forge.url);
    expect(await first.closed).toBe(4001);
    const job = await forge.submit(echo);
    expect(await second.offer()).toMatchObject({ jobId: job.id });
  });
});

describe('what is not the own', () => {
  it('is denied by its lease token, and the one who has it goes on', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const thief = await test.dialIn(forge.url, { ...other, capabilities: [{ ...ECHO, id: 'else' }] });
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    for (const leaseToken of ['', 'x'.repeat(36), `${offered.leaseToken}x`, undefined]) {
      const { executionId } = offered;
      thief.send({ type: 'accept', executions: [{ executionId, leaseToken }] });
      expect((await thief.next('confirmed')).executions).toEqual([{ executionId, code: 'LEASE_SUPERSEDED' }]);
      thief.send({
        type: 'events',
        executions: [{ executionId, leaseToken, events: eventsOf(offered, [{ type: 'succeeded' }], 1) }],
      });
      expect((await thief.next('acknowledged')).executions).toMatchObject([{ code: 'LEASE_SUPERSEDED' }]);
    }
    expect(await runner.accept(offered)).toBeUndefined();
    runner.succeed(offered, 'own');
    expect(await job.result()).toMatchObject({ data: 'own' });
  });

  it('that is claimed after it went back is denied', async () => {
    const forge = await test.listening({ limits: { offerMs: 40 } });
    const runner = await test.dialIn(forge.url);
    await forge.submit(echo);
    const late = await runner.offer();
    const again = await runner.offer();
    expect(await runner.accept(late)).toBe('LEASE_SUPERSEDED');
    expect(await runner.accept(again)).toBeUndefined();
    expect(again.attempt).toBe(1);
  });
});

describe('a flood', () => {
  it('of words whose answers are not read ends the socket', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    runner.socket.pause();
    const executions = Array.from({ length: 5_000 }, (_, index) => ({
      executionId: `none-${index}`.padEnd(128, 'x'),
    }));
    const text = JSON.stringify({ type: 'accept', executions });
    const flood = (): void => {
      if (runner.socket.readyState !== WebSocket.OPEN) return;
      runner.socket.send(text, () => setImmediate(flood));
    };
    flood();
    await expect
      .poll(async () => (await forge.operations.listRunners())[0]?.status, { timeout: 15_000 })
      .toBe('offline');
    await test.dialIn(forge.url, other);
  });

  it('of offers waits where the runner does not read', async () => {
    const forge = await test.listening({ limits: { offerMs: 60_000 } });
    const runner = await test.dialIn(forge.url, {
      maxConcurrency: 500,
      capabilities: [{ ...ECHO, maxConcurrency: 500 }],
    });
    runner.socket.pause();
    const text = 'x'.repeat(200_000);
    for (let jobs = 0; jobs < 100; jobs += 1) await forge.submit({ ...echo, input: { text } });
    const [shown] = await forge.operations.listRunners();
    expect(shown?.activeExecutions).toBeLessThan(100);
    runner.socket.resume();
    let offers = 0;
    for (; offers < 100; offers += 1) await runner.offer();
    expect(offers).toBe(100);
  });

  it('of reports is taken as fast as it can be written', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    const checkpoints = eventsOf(
      offered,
      Array.from({ length: 6_000 }, (_, row) => ({ type: 'checkpoint', data: row })),
      1,
    );
    for (const event of checkpoints) runner.tell(offered, event);
    runner.tell(offered, ...eventsOf(offered, [{ type: 'succeeded' }], 6_001));
    expect(await job.result()).toMatchObject({ success: true });
    const acknowledged = (): number =>
      Math.max(
        ...runner.frames.flatMap(({ type, executions = [] }) =>
          type === 'acknowledged' ? executions.map(({ seq = -1 }) => seq) : [],
        ),
      );
    await expect.poll(acknowledged).toBe(6_001);
  });

  it('of registrations is taken one at a time', async () => {
    const forge = await test.listening();
    const runner = await test.dialIn(forge.url);
    for (let times = 0; times < 200; times += 1)
      runner.send({ type: 'register', registration: dialInRegistration() });
    for (let times = 0; times < 200; times += 1) await runner.next('ready');
    const job = await forge.submit(echo);
    expect(await runner.offer()).toMatchObject({ jobId: job.id });
  });
});
