import { once } from 'node:events';
import { connect } from 'node:net';
import { ENDPOINTS, type Endpoint } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import {
  closeApis,
  json,
  rawBytes,
  rawRequest,
  Refusal,
  serveApi,
  submission,
} from './api-server.fixture.js';
import { HTTP_LIMITS } from './http-limits.js';
import { createHttpMeters } from './http-meters.js';
import { createInMemoryOperations } from './operations-in-memory.fixture.js';
import { createRoutes } from './routes.js';
import { createApiServer } from './server.js';

afterEach(closeApis);

const served = Object.values(ENDPOINTS as Record<string, Endpoint>).filter(
  ({ server }) => server === 'jobforge',
);

describe('the routes', () => {
  it('are the endpoints that the contract gives to jobforge, and nothing else', () => {
    const routes = createRoutes({
      operations: createInMemoryOperations(),
      closing: new AbortController().signal,
      keepAliveMs: 1000,
      meters: createHttpMeters(),
    });
    expect(routes.map(({ method, path }) => `${method} ${path}`)).toEqual(
      served.map(({ method, path }) => `${method} ${path}`),
    );
  });

  it.each(served.map(({ method, path }) => [method, path]))('serve %s %s', async (method, path) => {
    const { url } = await serveApi();
    const reply = await fetch(url + path.replace(':id', 'no-such-id'), { method });
    const text = await reply.text();
    expect(text).not.toContain('ROUTE_NOT_FOUND');
    expect(reply.status).not.toBe(405);
  });
});

describe('a job over HTTP', () => {
  it('is accepted with 202 when it is new and answered with 200 when it exists', async () => {
    const { url } = await serveApi();
    const first = await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    const again = await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    expect([first.status, again.status]).toEqual([202, 200]);
    expect(ENDPOINTS.submitJob.response.parse(await again.json())).toMatchObject({
      id: 'a',
      status: 'queued',
    });
  });

  it('is refused with the envelope of the operation and its own status', async () => {
    const { url } = await serveApi();
    await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    const reply = await fetch(`${url}/jobs`, json(submission({ id: 'a', payload: { type: 'x', data: {} } })));
    expect(reply.status).toBe(409);
    expect(Refusal.parse(await reply.json()).error.code).toBe('JOB_CONFLICT');
  });

  it('can be submitted in batches, listed, shown and cancelled', async () => {
    const { url } = await serveApi();
    const batch = await fetch(
      `${url}/jobs/batch`,
      json({ jobs: [submission({ id: 'a' }), submission({ id: 'b' })] }),
    );
    expect(batch.status).toBe(202);
    expect(await batch.json()).toEqual({
      jobs: [
        { id: 'a', status: 'queued' },
        { id: 'b', status: 'queued' },
      ],
    });
    const cancelled = await fetch(`${url}/jobs/a/cancel`, { method: 'POST' });
    expect([cancelled.status, ENDPOINTS.cancelJob.response.parse(await cancelled.json()).status]).toEqual([
      202,
      'cancelled',
    ]);
    const list = ENDPOINTS.listJobs.response.parse(
      await (await fetch(`${url}/jobs?status=queued&limit=5`)).json(),
    );
    expect(list.items.map(({ id }) => id)).toEqual(['b']);
    expect(await (await fetch(`${url}/jobs/b`)).json()).toMatchObject({ id: 'b', request: { priority: 50 } });
  });

  it('counts as submitted by whichever path reaches it: with a query string as without', async () => {
    const { url } = await serveApi();
    expect((await fetch(`${url}/jobs?trace=1`, json(submission()))).status).toBe(202);
  });
});

describe('a runner over HTTP', () => {
  it('registers, beats, is shown and leaves without a body', async () => {
    const { url } = await serveApi();
    const registration = {
      name: 'r1',
      version: '1.0.0',
      contractVersion: '1.0.0',
      capabilities: [],
      healthCheckEndpoint: 'http://127.0.0.1:9/health',
    };
    expect((await fetch(`${url}/runners/register`, json(registration))).status).toBe(200);
    const beat = await fetch(
      `${url}/runners/heartbeat`,
      json({ runnerId: 'r1', timestamp: new Date().toISOString(), status: 'healthy' }),
    );
    expect(await beat.json()).toMatchObject({ known: true });
    expect(await (await fetch(`${url}/runners`)).json()).toHaveLength(1);
    expect(await (await fetch(`${url}/runners/r1`)).json()).toMatchObject({ id: 'r1' });
    expect((await fetch(`${url}/runners/r1/deregister`, { method: 'POST' })).status).toBe(200);
    expect((await fetch(`${url}/runners/r1`)).status).toBe(404);
  });
});

describe('health', () => {
  it('answers 503 unless healthy and ready', async () => {
    const operations = createInMemoryOperations({
      health: async () => ({
        service: 'jobforge',
        status: 'degraded',
        timestamp: new Date().toISOString(),
        version: '1',
        uptime: 1,
        checks: [],
      }),
      readiness: () => ({ ok: false, reasons: ['draining'] }),
    });
    const { url } = await serveApi({ operations });
    const statuses = await Promise.all(
      ['/health', '/readyz', '/livez'].map(async (path) => (await fetch(url + path)).status),
    );
    expect(statuses).toEqual([503, 503, 200]);
  });

  it('is pointed to from the root', async () => {
    const { url } = await serveApi();
    expect(await (await fetch(url)).json()).toMatchObject({
      name: 'jobforge',
      version: '0.0.0',
      links: { health: '/health' },
    });
  });
});

describe('the listener', () => {
  it('sends security headers with every answer, and neither CORS nor its own make', async () => {
    const { url } = await serveApi();
    for (const reply of [
      await fetch(`${url}/jobs`, json(submission())),
      await fetch(`${url}/nowhere`),
      await fetch(`${url}/jobs`),
    ]) {
      expect(reply.headers.get('x-content-type-options')).toBe('nosniff');
      expect(reply.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(reply.headers.get('cache-control')).toBe('no-store');
      expect(reply.headers.get('x-powered-by')).toBeNull();
      expect(reply.headers.get('access-control-allow-origin')).toBeNull();
    }
  });

  it.each(['evil.example', 'evil.example:3002', '127.0.0.1.evil.example', 'localhost@evil.example'])(
    'refuses the host %j',
    async (host) => {
      const { port } = await serveApi();
      const hot = await rawRequest(port, {
        method: 'POST',
        path: '/jobs',
        headers: { host, 'content-type': 'application/json' },
        body: JSON.stringify(submission()),
      });
      const cold = await rawRequest(port, { path: '/jobs', headers: { host } });
      expect([hot.status, cold.status]).toEqual([403, 403]);
      expect(Refusal.parse(JSON.parse(hot.body)).error.code).toBe('HOST_NOT_ALLOWED');
    },
  );

  it.each([
    'GET /jobs HTTP/1.1\r\nconnection: close\r\n\r\n',
    'GET /jobs HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n',
  ])('refuses %j, which names no host', async (bytes) => {
    const { port } = await serveApi();
    expect(await rawBytes(port, bytes)).toMatch(/^HTTP\/1.1 403 [^]*HOST_NOT_ALLOWED/);
  });

  it.each(['localhost:1', '127.0.0.1', '[::1]:3002', 'forge.test:80'])(
    'accepts the host %s',
    async (host) => {
      const { port } = await serveApi({ allowedHosts: ['forge.test'] });
      expect((await rawRequest(port, { path: '/livez', headers: { host } })).status).toBe(200);
    },
  );

  it('lets no page of another origin change anything', async () => {
    const { url } = await serveApi();
    const from = (origin: string): Promise<Response> =>
      fetch(`${url}/jobs/x/cancel`, { method: 'POST', headers: { origin } });
    expect((await from('http://evil.example')).status).toBe(403);
    expect((await from('null')).status).toBe(403);
    expect((await from(url)).status).toBe(404);
  });

  it('rejects listen() when the port is taken', async () => {
    const { port, operations } = await serveApi();
    await expect(createApiServer({ operations, host: '127.0.0.1', port }).listen()).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });

  it('closes although a connection stands over which nothing was asked', async () => {
    const { url, port, server } = await serveApi();
    const unused = connect(port, '127.0.0.1');
    await once(unused, 'connect');
    await fetch(`${url}/health`);
    const began = performance.now();
    await Promise.all([server.close(), once(unused, 'close')]);
    expect(performance.now() - began).toBeLessThan(HTTP_LIMITS.closeGraceMs - 1_000);
  });

  it('closes with connections still kept alive', async () => {
    const { url, port, server } = await serveApi();
    await (await fetch(`${url}/livez`)).text();
    await server.close();
    await expect(rawRequest(port, { path: '/livez' })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('answers an unexpected error with its id alone, and logs the rest', async () => {
    const logged: unknown[] = [];
    const operations = createInMemoryOperations({
      showJob: async () => Promise.reject(new Error('secret of the inside')),
    });
    const { url } = await serveApi({
      operations,
      log: (_level, _message, fields) => logged.push(fields?.['error']),
    });
    const reply = await fetch(`${url}/jobs/a`);
    const text = await reply.text();
    expect(reply.status).toBe(500);
    expect(Refusal.parse(JSON.parse(text)).error.code).toBe('INTERNAL_ERROR');
    expect(text).not.toContain('secret');
    expect(logged).toEqual([expect.objectContaining({ message: 'secret of the inside' })]);
  });

  it.each([
    ['no HTTP at all', 'HELLO\r\n\r\n', 400],
    ['headers of 20 KB', `GET /jobs HTTP/1.1\r\nhost: localhost\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`, 413],
    [
      'a chunk of no length',
      'POST /jobs HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n\r\nZZ\r\n',
      400,
    ],
    ['a wish to be a proxy', 'CONNECT evil.example:443 HTTP/1.1\r\nhost: localhost\r\n\r\n', 400],
    [
      'an expectation that nobody knows',
      'POST /jobs HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\nexpect: tea\r\ncontent-length: 0\r\n\r\n',
      400,
    ],
    [
      'two lengths',
      'POST /jobs HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab',
      400,
    ],
  ])('answers %s with an envelope', async (_what, bytes, status) => {
    const { port, url } = await serveApi();
    const answer = await rawBytes(port, bytes);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(Refusal.parse(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).success).toBe(false);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });
});
