import { request } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { PollResponse } from '@controlplane/contracts';
import { openDialIns } from '../testing/dial-in-forge.js';
import { dialInRegistration, eventsOf, type Offered, type ReceivedFrame } from '../testing/dial-in-runner.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };
const ONCE = { success: true, metadata: { attempts: 1 } };

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly error?: { readonly code: string } };
}

interface Poller {
  readonly runnerId: string;
  register(overrides?: Record<string, unknown>): Promise<string>;
  post(path: string, body: object): Promise<Reply>;
  poll(body?: object): Promise<ReceivedFrame[]>;
  offers(body?: object): Promise<Offered[]>;
  accept(offered: Offered): Promise<Reply>;
  tell(offered: Offered, ...events: object[]): Promise<Reply>;
}

async function poller(url: string, overrides: Record<string, unknown> = {}): Promise<Poller> {
  const post: Poller['post'] = async (path, body) => {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as Reply['body'] };
  };
  const registration = (more: object): object =>
    dialInRegistration({ delivery: { kind: 'long-poll' }, ...overrides, ...more });
  const register = async (more: object = {}): Promise<string> =>
    String((await post('/runners/register', registration(more))).body['runnerId']);
  const runnerId = await register();
  const poll: Poller['poll'] = async (body = {}) => {
    const { body: answer } = await post(`/runners/${runnerId}/poll`, { instanceId: 'i1', ...body });
    return (answer as unknown as PollResponse).frames as unknown as ReceivedFrame[];
  };
  return {
    runnerId,
    register,
    post,
    poll,
    async offers(body) {
      for (;;) {
        const offers = (await poll(body)).flatMap((frame) =>
          frame.type === 'offers' ? (frame.executions ?? []) : [],
        );
        if (offers.length > 0) return [...offers];
      }
    },
    accept: ({ executionId, leaseToken }) => post(`/executions/${executionId}/accept`, { leaseToken }),
    tell: ({ executionId, leaseToken }, ...events) =>
      post(`/executions/${executionId}/events`, { leaseToken, events }),
  };
}

const ended = (offered: Offered, data: unknown = 1): object[] =>
  eventsOf(offered, [{ type: 'succeeded', data }], 1);

describe('a runner that polls', () => {
  it('is answered with an offer, claims it, and its result is on disk when it is acknowledged', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const polled = runner.offers();
    const job = await forge.submit(echo);
    const [offered] = await polled;
    if (offered === undefined) throw new Error('nothing was offered');
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
    const first = runner.poll();
    await expect.poll(async () => (await forge.operations.listRunners())[0]?.status).toBe('healthy');
    const second = runner.offers();
    expect(await first).toEqual([]);
    const job = await forge.submit(echo);
    expect(await second).toMatchObject([{ jobId: job.id }]);
  });

  it('hears of a cancellation at once', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const polled = runner.offers();
    const job = await forge.submit(echo);
    const [offered] = await polled;
    if (offered === undefined) throw new Error('nothing was offered');
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
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const hungUp = new Promise<void>((resolve) => {
      const body = '{}';
      const sent = request(`${forge.url}/runners/${runner.runnerId}/poll`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'content-length': '2' },
      });
      sent.on('error', () => undefined);
      sent.on('close', () => resolve());
      sent.end(body, () => setTimeout(() => sent.destroy(), 20));
    });
    await hungUp;
    const job = await forge.submit(echo);
    const [offered] = await runner.offers();
    if (offered === undefined) throw new Error('nothing was offered');
    expect(offered.attempt).toBe(1);
    await runner.accept(offered);
    await runner.tell(offered, ...ended(offered));
    expect(await job.result()).toMatchObject(ONCE);
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
    await runner.accept(again);
    await runner.tell(again, ...ended(again));
    expect(await job.result()).toMatchObject(ONCE);
  });

  it('and registers anew keeps what it holds', async () => {
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const polled = runner.offers();
    const job = await forge.submit(echo);
    const [offered] = await polled;
    if (offered === undefined) throw new Error('nothing was offered');
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
    const forge = await test.listening();
    const runner = await poller(forge.url);
    const polled = runner.poll();
    await expect.poll(async () => (await forge.operations.listRunners())[0]?.status).toBe('healthy');
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
