import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { httpFetch } from './http-fetch.js';
import { runJobforge } from './cli-run.fixture.js';

async function listening(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('a connection that is closed at once is told at once', async () => {
  const url = await listening(createServer((socket) => socket.destroy()));
  const began = Date.now();
  const run = await runJobforge(url, ['job', 'list'], { fetch: httpFetch });
  expect(run.code).toBe(4);
  expect(run.err[0]).toBe(
    `✗ JOBFORGE_UNREACHABLE  JobForge does not answer at ${url} (the connection was closed).`,
  );
  expect(Date.now() - began).toBeLessThan(2_000);
});

it('nobody who listens, and what is no HTTP, are told apart', async () => {
  const gone = await runJobforge('http://127.0.0.1:1', ['job', 'list'], { fetch: httpFetch });
  expect(gone.err[0]).toContain('(connection refused)');
  const url = await listening(createServer((socket) => socket.end('220 mail ready\r\n')));
  expect((await runJobforge(url, ['job', 'list'], { fetch: httpFetch })).err[0]).toContain(
    '(what answers does not speak HTTP)',
  );
});

it('sends what it is given, and reads status, headers and body', async () => {
  const url = await listening(
    createHttpServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method, url: path, headers } = request;
        response.writeHead(202, { 'x-a': 'b' });
        response.end(
          JSON.stringify({
            method,
            path,
            type: headers['content-type'],
            body: String(Buffer.concat(chunks)),
          }),
        );
      });
    }),
  );
  const reply = await httpFetch(`${url}/a?b=1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"ä":1}',
  });
  expect([reply.status, reply.headers.get('x-a')]).toEqual([202, 'b']);
  expect(await reply.json()).toEqual({
    method: 'POST',
    path: '/a?b=1',
    type: 'application/json',
    body: '{"ä":1}',
  });
});

it('ends with its signal, before the answer and within it', async () => {
  const url = await listening(
    createHttpServer((request, response) => {
      if (request.url === '/body') response.write('first');
    }),
  );
  const waiting = httpFetch(`${url}/never`, { signal: AbortSignal.timeout(20) });
  await expect(waiting).rejects.toMatchObject({ name: 'TimeoutError' });
  const leaving = new AbortController();
  const reply = await httpFetch(`${url}/body`, { signal: leaving.signal });
  const reader = reply.body?.getReader();
  await reader?.read();
  leaving.abort();
  await expect(reader?.read()).rejects.toThrow('abort');
});
