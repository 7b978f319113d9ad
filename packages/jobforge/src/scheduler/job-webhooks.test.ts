import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreatedWebhook, WebhookMessage } from '@controlplane/contracts';
import { Webhook } from 'standardwebhooks';
import { afterEach, describe, expect, it } from 'vitest';
import type { JobForge } from '../control-plane.js';
import type { JobForgeOptions } from '../options.js';
import { openDialIns } from '../testing/dial-in-forge.js';

const test = openDialIns();
const closing: (() => void)[] = [];
afterEach(async () => {
  await test.close();
  for (const close of closing.splice(0)) close();
});

interface Told {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Receiver {
  readonly url: string;
  readonly told: Told[];
  /** Resolves with the n-th message (from 0). */
  message(index: number): Promise<Told>;
}

/** Takes messages on a real socket and answers as the test says. */
async function receiver(answer: (attempt: number) => number | 'never' = () => 204): Promise<Receiver> {
  const told: Told[] = [];
  const waiting = new Map<number, (message: Told) => void>();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const index = told.push({ path: request.url ?? '', headers: request.headers, body }) - 1;
      const status = answer(index);
      if (status !== 'never') response.writeHead(status).end();
      const message = told[index];
      if (message !== undefined) waiting.get(index)?.(message);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    told,
    message: (index) =>
      new Promise((resolve) => {
        const there = told[index];
        if (there === undefined) waiting.set(index, resolve);
        else resolve(there);
      }),
  };
}

const allowed: JobForgeOptions = { webhooks: { allowPrivate: true } };
const echo = { capability: 'echo', input: { text: 'hi' }, retryPolicy: { maxRetries: 0 } };

async function withRunner(options: JobForgeOptions = allowed): Promise<JobForge & { url: string }> {
  const forge = await test.listening(options);
  const runner = await test.runner({
    form: 'batch',
    handle: ({ accept, succeed, fail, request }) => {
      accept();
      if (request.payload['text'] === 'fail') fail('BROKEN');
      else succeed();
    },
  });
  await forge.operations.registerRunner(runner.registration());
  return forge;
}

function verified(signingKey: string, { body, headers }: Told): WebhookMessage {
  return WebhookMessage.parse(new Webhook(signingKey).verify(body, headers as Record<string, string>));
}

async function post(url: string, body: object): Promise<{ status: number; body: unknown }> {
  const sent = {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  };
  const response = await fetch(url, sent);
  return { status: response.status, body: await response.json() };
}

describe('a job with a webhook', () => {
  it('has its end told, signed by the key of JobForge', async () => {
    const hook = await receiver();
    const forge = await withRunner();
    const job = await forge.submit({ ...echo, webhook: { url: `${hook.url}/done` } });
    const told = await hook.message(0);
    expect(told.path).toBe('/done');
    const { signingKey } = await forge.operations.webhookKey();
    expect(verified(signingKey, told)).toMatchObject({
      type: 'job.completed',
      data: { id: job.id, status: 'completed', result: { data: { echoed: { text: 'hi' } } } },
    });
    await expect.poll(async () => (await job.show()).webhooks).toBeUndefined();
  });

  it('has only those ends told that it names', async () => {
    const hook = await receiver();
    const forge = await withRunner();
    const webhook = { url: hook.url, events: ['job.failed' as const] };
    await (await forge.submit({ ...echo, webhook })).result();
    const failed = await forge.submit({ ...echo, input: { text: 'fail' }, webhook });
    expect(WebhookMessage.parse(JSON.parse((await hook.message(0)).body))).toMatchObject({
      type: 'job.failed',
      data: { id: failed.id, error: { code: 'BROKEN' } },
    });
    expect(hook.told).toHaveLength(1);
  });

  it('is told again, as the same message, until it is taken; meanwhile the job shows why', async () => {
    const hook = await receiver((attempt) => (attempt === 0 ? 503 : 200));
    const forge = await withRunner();
    const job = await forge.submit({ ...echo, webhook: { url: hook.url } });
    const first = await hook.message(0);
    await expect
      .poll(async () => (await job.show()).webhooks)
      .toMatchObject([{ state: 'waiting', attempts: 1, error: 'answered with status 503' }]);
    const second = await hook.message(1);
    expect(second.headers['webhook-id']).toBe(first.headers['webhook-id']);
    await expect.poll(async () => (await job.show()).webhooks).toBeUndefined();
  }, 15_000);

  it('is told after a restart what it was not told before', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
    closing.push(() => rmSync(folder, { recursive: true, force: true }));
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const hook = await receiver((attempt) => (attempt === 0 ? 'never' : 200));
    const limits = { webhookTimeoutMs: 200 };
    const forge = await withRunner({ ...allowed, store, limits });
    const job = await forge.submit({ ...echo, webhook: { url: hook.url } });
    await hook.message(0);
    await forge.stop({ drainMs: 0 });
    const again = await test.listening({ ...allowed, store, limits });
    const { signingKey } = await again.operations.webhookKey();
    expect(verified(signingKey, await hook.message(1))).toMatchObject({ data: { id: job.id } });
  });

  it('is given up after the last attempt, and shows that', async () => {
    const hook = await receiver(() => 500);
    const forge = await withRunner({ ...allowed, limits: { webhookAttempts: 1 } });
    const job = await forge.submit({ ...echo, webhook: { url: hook.url } });
    await expect
      .poll(async () => (await job.show()).webhooks)
      .toEqual([
        {
          url: hook.url,
          event: 'job.completed',
          state: 'failed',
          attempts: 1,
          error: 'answered with status 500',
        },
      ]);
  });

  it('holds up no other job while nobody answers', async () => {
    const hook = await receiver(() => 'never');
    const forge = await withRunner();
    for (let count = 0; count < 20; count++) {
      const job = await forge.submit({ ...echo, webhook: { url: hook.url } });
      expect(await job.result()).toMatchObject({ success: true });
    }
  });

  it('is refused where it names an address that is not allowed, or a key that is not there', async () => {
    const forge = await test.listening();
    const submission = { type: 'echo', payload: { type: 'echo', data: {} } };
    expect(
      await post(`${forge.url}/jobs`, { ...submission, webhook: { url: 'http://127.0.0.1/' } }),
    ).toMatchObject({
      status: 400,
      body: { error: { code: 'VALIDATION_ERROR', details: [{ path: ['webhook', 'url'] }] } },
    });
    const webhook = { url: 'https://example.org/', key: 'nobody' };
    expect(await post(`${forge.url}/jobs`, { ...submission, webhook })).toMatchObject({
      status: 400,
      body: { error: { details: [{ path: ['webhook', 'key'] }] } },
    });
    expect(
      await post(`${forge.url}/jobs`, { ...submission, webhook: { url: 'ftp://example.org/' } }),
    ).toMatchObject({
      status: 400,
    });
  });
});

describe('a registered webhook', () => {
  it('hears of the jobs of its types, signed by its own key, until it is removed', async () => {
    const hook = await receiver();
    const forge = await withRunner();
    const created = await post(`${forge.url}/webhooks`, { id: 'ci', url: hook.url, types: ['echo'] });
    expect(created.status).toBe(201);
    const { signingKey } = CreatedWebhook.parse(created.body);
    const listed: unknown = await (await fetch(`${forge.url}/webhooks`)).json();
    expect(listed).toMatchObject([{ id: 'ci', types: ['echo'] }]);
    expect(JSON.stringify(listed)).not.toContain(signingKey);
    expect(await post(`${forge.url}/webhooks`, { id: 'ci', url: hook.url })).toMatchObject({ status: 409 });
    const job = await forge.submit(echo);
    expect(verified(signingKey, await hook.message(0))).toMatchObject({ data: { id: job.id } });
    await (await forge.submit({ ...echo, capability: 'other', id: 'other' })).cancel();
    await fetch(`${forge.url}/webhooks/ci`, { method: 'DELETE' });
    await (await forge.submit(echo)).result();
    const last = await forge.submit({ ...echo, webhook: { url: `${hook.url}/last` } });
    expect(await hook.message(1)).toMatchObject({ path: '/last' });
    expect(JSON.parse(hook.told[1]?.body ?? '{}')).toMatchObject({ data: { id: last.id } });
  });

  it('is told once of a job that failed and was retried before it could be told', async () => {
    const hook = await receiver((attempt) => (attempt === 0 ? 500 : 200));
    const forge = await withRunner();
    const job = await forge.submit({ ...echo, input: { text: 'fail' }, webhook: { url: hook.url } });
    const first = await hook.message(0);
    await expect.poll(async () => (await job.show()).webhooks?.[0]?.error).toContain('500');
    await forge.operations.retryJob(job.id);
    const second = await hook.message(1);
    expect(second.headers['webhook-id']).not.toBe(first.headers['webhook-id']);
    await expect.poll(async () => (await job.show()).webhooks).toBeUndefined();
    expect(hook.told).toHaveLength(2);
  });
});
