import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebhookRegistration } from '@controlplane/contracts';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { openDialIns } from '../testing/dial-in-forge.js';
import { eventsOf, type Offered } from '../testing/dial-in-runner.js';
import { poller } from '../testing/polling-runner.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';

const echo = { capability: 'echo', input: { text: 'hi' } };

type Listening = JobForge & { readonly url: string };

/** What takes messages, and decides of each whether it is answered. */
interface Receiver {
  readonly url: string;
  readonly told: string[];
  answers: boolean;
}

describe.skipIf(missingPostgres() !== undefined)('what runs through another JobForge', () => {
  let cluster: PostgresCluster;
  const test = openDialIns();
  const closing: (() => void)[] = [];
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(async () => {
    await test.close();
    for (const close of closing.splice(0)) close();
  });
  afterAll(() => cluster.stop());

  const pair = async (more: JobForgeOptions = {}): Promise<[Listening, Listening]> => {
    const options = { store: cluster.newUrl(), ...more, limits: { replicaBeatMs: 50, ...more.limits } };
    return [await test.listening(options), await test.listening(options)];
  };
  const knowsRunner = ({ operations }: Listening, runnerId: string): Promise<void> =>
    expect.poll(async () => (await operations.listRunners()).map(({ id }) => id)).toContain(runnerId);
  const receiver = async (): Promise<Receiver> => {
    const it: { told: string[]; answers: boolean } = { told: [], answers: true };
    const server = createServer((request, response) => {
      it.told.push(String(request.headers['webhook-id']));
      if (it.answers) response.writeHead(204).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(() => {
      server.closeAllConnections();
      server.close();
    });
    return Object.assign(it, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  };

  it('a runner accepts, tells and beats through either, and keeps what it runs where it polls next', async () => {
    const [one, other] = await pair();
    const runner = await poller(one.url);
    await knowsRunner(other, runner.runnerId);
    const job = await one.submit(echo);
    const [offered] = (await runner.offers()) as [Offered];
    const through = { ...runner, ...(await elsewhere(other)) };
    expect(
      await through.post(`/executions/${offered.executionId}/accept`, { leaseToken: 'x' }),
    ).toMatchObject({
      body: { error: { code: 'LEASE_SUPERSEDED' } },
    });
    const { executionId, leaseToken } = offered;
    expect((await through.post(`/executions/${executionId}/accept`, { leaseToken })).status).toBe(200);
    const said = eventsOf(offered, [{ type: 'log', level: 'info', message: 'half-way' }], 1);
    const reply = await through.post(`/executions/${executionId}/events`, { leaseToken, events: said });
    expect(reply.body).toMatchObject({ acknowledgedSeq: 1 });
    const beat = { runnerId: runner.runnerId, status: 'healthy', timestamp: new Date().toISOString() };
    const beaten = await through.post('/runners/heartbeat', { ...beat, executions: [executionId] });
    expect(beaten.body).toMatchObject({ known: true, directives: [] });
    // It comes to the other with what it runs.
    const next = await one.submit(echo);
    const path = `/runners/${runner.runnerId}/poll`;
    const polled = await through.post(path, { instanceId: 'i1' });
    expect(JSON.stringify(polled.body)).toContain(next.id);
    const ended = eventsOf(offered, [{ type: 'succeeded', data: 'done', executionTimeMs: 1 }], 2);
    await through.post(`/executions/${executionId}/events`, { leaseToken, events: ended });
    expect(await job.result()).toMatchObject({ data: 'done', metadata: { attempts: 1 } });
    expect((await one.operations.showRunner(runner.runnerId)).status).toBe('healthy');
  });

  const elsewhere = async ({
    url,
  }: Listening): Promise<Pick<Awaited<ReturnType<typeof poller>>, 'post'>> => ({
    async post(path, body) {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
  });

  it('a file of it is kept through either, for whoever holds its lease', async () => {
    const files = mkdtempSync(join(tmpdir(), 'jobforge-'));
    closing.push(() => rmSync(files, { recursive: true }));
    const [one, other] = await pair({ files });
    const runner = await test.dialIn(one.url);
    const job = await one.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    const put = (leaseToken: string): Promise<Response> =>
      fetch(`${other.url}/executions/${offered.executionId}/artifacts/report.txt`, {
        method: 'PUT',
        body: 'all is well',
        headers: { 'x-lease-token': leaseToken },
      });
    expect((await put('another')).status).toBe(409);
    expect((await put(offered.leaseToken)).status).toBe(201);
    runner.succeed(offered);
    await job.result();
    for (const { url } of [one, other])
      expect(await (await fetch(`${url}/jobs/${job.id}/artifacts/report.txt`)).text()).toBe('all is well');
    expect((await put(offered.leaseToken)).status).toBe(409);
  });

  it('a file that it brings is read through either, by whoever holds its lease', async () => {
    const files = mkdtempSync(join(tmpdir(), 'jobforge-'));
    closing.push(() => rmSync(files, { recursive: true, force: true }));
    const [one, other] = await pair({ files });
    const sha256 = createHash('sha256').update('a,b').digest('hex');
    const put = await fetch(`${one.url}/files/${sha256}`, { method: 'PUT', body: 'a,b' });
    expect(put.status).toBe(201);
    const runner = await poller(other.url, { features: ['files'] });
    await knowsRunner(one, runner.runnerId);
    const payload = { type: 'echo', data: {} };
    const brought = [{ name: 'table', sha256, bytes: 3 }];
    const asked = await fetch(`${one.url}/jobs`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ type: 'echo', payload, files: brought }),
    });
    expect(asked.status).toBe(202);
    const [offered] = await runner.offers();
    if (offered === undefined) throw new Error('nothing was offered');
    await runner.accept(offered);
    const read = ({ url }: Listening, leaseToken: string): Promise<Response> =>
      fetch(`${url}/files/${sha256}?execution=${offered.executionId}`, {
        headers: { 'x-lease-token': leaseToken },
      });
    for (const replica of [one, other]) {
      expect(await (await read(replica, offered.leaseToken)).text()).toBe('a,b');
      expect((await read(replica, 'another')).status).toBe(409);
    }
    await runner.tell(offered, ...eventsOf(offered, [{ type: 'succeeded', data: 1 }], 1));
    for (const replica of [one, other]) expect((await read(replica, offered.leaseToken)).status).toBe(409);
  });

  it('is told to a webhook that was registered at the other', async () => {
    const [one, other] = await pair({ webhooks: { allowPrivate: true } });
    const { url, told } = await receiver();
    const registered = await one.operations.createWebhook(WebhookRegistration.parse({ url }));
    const runner = await test.dialIn(other.url);
    const job = await other.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    runner.succeed(offered);
    await expect.poll(() => told).toHaveLength(1);
    expect(told[0]).toContain(job.id);
    await one.operations.deleteWebhook(registered.id);
    expect(await other.operations.listWebhooks()).toEqual([]);
  });

  it('is told by the other where the one that had to is gone', async () => {
    const limits = { webhookTimeoutMs: 200 };
    const [one, other] = await pair({ webhooks: { allowPrivate: true }, limits });
    const hook = await receiver();
    hook.answers = false;
    const runner = await test.dialIn(one.url);
    const job = await one.submit({ ...echo, webhook: { url: hook.url } });
    const offered = await runner.offer();
    await runner.accept(offered);
    runner.succeed(offered);
    await expect.poll(() => hook.told).toHaveLength(1);
    hook.answers = true;
    await one.stop({ drainMs: 0 });
    await expect.poll(async () => (await other.job(job.id).show()).webhooks ?? []).toEqual([]);
    await expect.poll(() => hook.told).toHaveLength(2);
    expect(new Set(hook.told).size).toBe(1);
  });
});
