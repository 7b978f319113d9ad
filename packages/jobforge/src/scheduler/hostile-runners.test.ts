import type { JobEvent } from '@controlplane/contracts';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import { ECHO } from '../testing/stub-runner.js';
import type { JobForge } from '../control-plane.js';

const test = openForges();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await test.close();
  for (const close of closing.splice(0)) await close();
});

const echo = { capability: 'echo', input: { text: 'hi' } };

interface Offered {
  readonly executionId: string;
  readonly attempt: number;
}

/** A runner whose bytes the test writes. */
async function bytesFrom(
  forge: JobForge,
  answer: (response: ServerResponse, offered: Offered) => void,
): Promise<{ posts: () => number; open: () => number }> {
  let posts = 0;
  let open = 0;
  const server = createServer((request, response) => {
    if (request.method === 'GET') return void response.end('{"status":"healthy"}');
    if (request.url !== '/execute') return void response.writeHead(202).end('{}');
    posts += 1;
    open += 1;
    response.on('close', () => (open -= 1));
    let text = '';
    request.on('data', (chunk) => (text += String(chunk)));
    request.on('end', () => answer(response, JSON.parse(text) as Offered));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(
    () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  );
  await forge.operations.registerRunner({
    name: 'hostile',
    version: '1.0.0',
    contractVersion: { major: 1, minor: 0, patch: 0 },
    capabilities: [{ ...ECHO, supportedJobTypes: ['echo.job'], timeoutMs: 30_000 }] as never,
    healthCheckEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`,
    tags: [],
    features: ['ndjson', 'batch', 'cancel'],
    instanceId: 'i1',
  });
  return { posts: () => posts, open: () => open };
}

const at = new Date().toISOString();
const line = (executionId: string, seq: number, event: object): string =>
  `${JSON.stringify({ executionId, seq, at, ...event })}\n`;
const NDJSON_HEAD = { 'content-type': 'application/x-ndjson' };

async function eventsOf(events: AsyncIterable<JobEvent>): Promise<string[]> {
  const seen: string[] = [];
  for await (const { id, type } of events) seen.push(`${id} ${type}`);
  return seen;
}

describe('a runner that', () => {
  it('accepts and closes, again and again, is given up at the end of the time limit', async () => {
    const forge = await test.forge({ limits: { overdueMs: 0 } });
    const runner = await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).end(line(executionId, 0, { type: 'accepted' }));
    });
    const job = await forge.submit({ ...echo, timeoutMs: 700, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
    // 0, 100, 300, 700, 1500 ms: each later than the one before.
    expect(runner.posts()).toBeLessThan(7);
  });

  it('gives the end a number that was used before does not hide the end', async () => {
    const forge = await test.forge();
    await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD);
      response.write(line(executionId, 0, { type: 'accepted' }));
      response.write(line(executionId, 7, { type: 'log', level: 'info', message: 'seven' }));
      response.end(line(executionId, 1, { type: 'succeeded', data: 1 }));
    });
    const job = await forge.submit(echo);
    const live = await eventsOf(job.events());
    expect(live.slice(2)).toEqual(['1.0 job.started', '1.7 job.log', '1.8 job.completed']);
    expect(await eventsOf(job.events())).toEqual(live);
  });

  it('names a part of a millisecond to wait for does not stop the store', async () => {
    const forge = await test.forge();
    await bytesFrom(forge, (response, { executionId, attempt }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
      const error = {
        ...{
          id: 'e1',
          timestamp: at,
          category: 'RUNTIME_ERROR',
          severity: 'error',
          code: 'ODD',
          message: 'x',
        },
        ...{ service: 's', contractVersion: '1.0.0', retryable: true, retryAfter: 0.0015 },
      };
      const ending = attempt > 1 ? { type: 'succeeded', data: 1 } : { type: 'failed', error };
      response.end(line(executionId, 1, ending));
    });
    const job = await forge.submit({ ...echo, retryPolicy: { backoffMs: 0 } });
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
    expect(forge.operations.readiness()).toMatchObject({ ok: true });
  });

  it('sends a line without an end fails its execution, and the connection is closed', async () => {
    const forge = await test.forge({ limits: { maxBodyBytes: 10_000 } });
    const runner = await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
      const flood = (): void => {
        while (!response.destroyed && response.write('x'.repeat(4_000)));
      };
      response.on('drain', flood);
      response.write(`{"executionId":"${executionId}","message":"`);
      flood();
    });
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ error: { code: 'RUNNER_PROTOCOL_ERROR' } });
    await expect.poll(runner.open).toBe(0);
  });

  it('goes on after the end is not listened to', async () => {
    const forge = await test.forge();
    const runner = await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
      response.write(line(executionId, 1, { type: 'succeeded', data: 1 }));
      const timer = setInterval(
        () => response.write(line(executionId, 2, { type: 'succeeded', data: 2 })),
        5,
      );
      response.on('close', () => clearInterval(timer));
    });
    expect(await (await forge.submit(echo)).result()).toMatchObject({ data: 1 });
    await expect.poll(runner.open).toBe(0);
  });

  it('ends its execution and not its reply loses the connection', async () => {
    const forge = await test.forge();
    const runner = await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
      response.write(line(executionId, 1, { type: 'succeeded', data: 1 }));
    });
    expect(await (await forge.submit(echo)).result()).toMatchObject({ data: 1 });
    await expect.poll(runner.open, { timeout: 5_000 }).toBe(0);
  });

  it('never ends loses its connection with the execution', async () => {
    const forge = await test.forge({ limits: { overdueMs: 0 } });
    const runner = await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
    });
    const job = await forge.submit({ ...echo, timeoutMs: 20, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ error: { code: 'EXECUTION_TIMEOUT' } });
    await expect.poll(runner.open).toBe(0);
  });

  it('compresses its events is told so', async () => {
    const forge = await test.forge();
    const runner = await bytesFrom(forge, (response) => {
      response.writeHead(200, { ...NDJSON_HEAD, 'content-encoding': 'gzip' }).end('\u001f\u008b');
    });
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ error: { code: 'RUNNER_PROTOCOL_ERROR' } });
    expect(runner.posts()).toBe(1);
  });

  it('redirects is not followed', async () => {
    const forge = await test.forge();
    await bytesFrom(forge, (response) => void response.writeHead(307, { location: '/elsewhere' }).end());
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ error: { code: 'RUNNER_PROTOCOL_ERROR' } });
  });

  it('sends ten thousand events and those of others ends its own execution alone', async () => {
    const forge = await test.forge();
    await bytesFrom(forge, (response, { executionId }) => {
      response.writeHead(200, NDJSON_HEAD).write(line(executionId, 0, { type: 'accepted' }));
      for (let seq = 1; seq <= 10_000; seq += 1)
        response.write(line(executionId, seq, { type: 'log', level: 'info', message: 'x' }));
      response.write(line('another', 1, { type: 'succeeded', data: 'stolen' }));
      response.end(line(executionId, 10_001, { type: 'succeeded', data: 'own' }));
    });
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ data: 'own' });
    expect((await eventsOf(job.events())).at(-1)).toBe('1.10001 job.completed');
  });
});
