import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createWebhookPost, type WebhookPost, type WebhookPostOptions } from './webhook-post.js';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

function post(options: Partial<WebhookPostOptions> = {}): WebhookPost {
  const made = createWebhookPost({ allowPrivate: true, timeoutMs: 5_000, ...options });
  closing.push(made.close);
  return made;
}

async function server(
  answer: (path: string) => { status: number; headers?: Record<string, string> } | undefined,
): Promise<{ port: number; hits: string[] }> {
  const hits: string[] = [];
  const http = createServer((request, response) => {
    hits.push(request.url ?? '');
    const reply = answer(request.url ?? '');
    if (reply !== undefined) response.writeHead(reply.status, reply.headers).end();
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    http.closeAllConnections();
    http.close();
  });
  return { port: (http.address() as AddressInfo).port, hits };
}

const message = { body: '{}', headers: {} };

it('follows no redirect', async () => {
  const { port, hits } = await server(() => ({ status: 307, headers: { location: '/elsewhere' } }));
  expect(await post().send(`http://127.0.0.1:${port}/`, message)).toMatchObject({
    kind: 'refused',
    status: 307,
  });
  expect(hits).toEqual(['/']);
});

it('does not connect to a name that stands for an address of a private network', async () => {
  const { port, hits } = await server(() => ({ status: 200 }));
  const resolve: NonNullable<WebhookPostOptions['resolve']> = (_host, _options, found) =>
    found(null, [
      { address: '93.184.216.34', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]);
  const url = `http://rebinding.example:${port}/`;
  expect(await post({ allowPrivate: false, resolve }).send(url, message)).toEqual({
    kind: 'failed',
    message: 'its host is an address of a private network, and those are not allowed here',
  });
  expect(await post({ allowPrivate: false }).send(`http://127.0.0.1:${port}/`, message)).toMatchObject({
    kind: 'failed',
  });
  expect(hits).toEqual([]);
});

it('connects to what a name stands for', async () => {
  const { port, hits } = await server(() => ({ status: 204 }));
  const resolve: NonNullable<WebhookPostOptions['resolve']> = (_host, _options, found) =>
    found(null, [{ address: '127.0.0.1', family: 4 }]);
  expect(await post({ resolve }).send(`http://hook.example:${port}/a`, message)).toEqual({ kind: 'told' });
  expect(hits).toEqual(['/a']);
});

it('gives up what is not answered, and what nobody listens to', async () => {
  const { port } = await server(() => undefined);
  expect(await post({ timeoutMs: 50 }).send(`http://127.0.0.1:${port}/`, message)).toEqual({
    kind: 'failed',
    message: 'no answer within 50 ms',
  });
  expect(await post().send('http://127.0.0.1:1/', message)).toMatchObject({
    kind: 'failed',
    message: expect.stringContaining('ECONNREFUSED') as string,
  });
});

it('reads how long it is to wait', async () => {
  const { port } = await server(() => ({ status: 429, headers: { 'retry-after': '7' } }));
  expect(await post().send(`http://127.0.0.1:${port}/`, message)).toEqual({
    kind: 'refused',
    status: 429,
    retryAfterMs: 7_000,
  });
});
