import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { greet, post, requestOf } from './runner-fixture.suite.js';
import { createRunner } from './runner.js';

type Application = (
  request: IncomingMessage & { body?: unknown },
  response: ServerResponse,
  next: () => void,
) => void;

/** The router of a runner behind what an application does first. */
async function mountBehind(first: Application): Promise<string> {
  const runner = createRunner({
    name: 'images',
    capabilities: [greet],
    logger: false,
    delivery: { kind: 'push', mountAt: '/' },
  });
  const router = runner.router();
  const server = createServer((request, response) =>
    first(request, response, () => router(request, response, () => response.end())),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/execute`;
}

const line = (executionId: string): string =>
  JSON.stringify(requestOf('hello.greet', { name: 'Ada' }, { executionId }));
const NDJSON = { 'content-type': 'application/x-ndjson' };

describe('behind an application that parses bodies', () => {
  test('that left an empty object for what it did not read, the body is read here', async () => {
    const url = await mountBehind((request, _response, next) => {
      request.body = {};
      next();
    });
    const batch = await post(url, `${line('e1')}\n${line('e2')}\n`, NDJSON);
    expect(batch.lines.filter(({ type }) => type === 'succeeded')).toHaveLength(2);
    const json = await post(url, line('e3'), { 'content-type': 'application/vnd.x+json' });
    expect(json).toMatchObject({ status: 200, json: { success: true } });
  });

  test('that parsed a batch of one line, the line is run', async () => {
    const url = await mountBehind((request, _response, next) => {
      let text = '';
      request.on('data', (chunk: Buffer) => (text += chunk.toString()));
      request.on('end', () => {
        request.body = JSON.parse(text);
        next();
      });
    });
    const batch = await post(url, line('e1'), NDJSON);
    expect(batch.lines.at(-1)).toMatchObject({ type: 'succeeded' });
  });

  test('that read the body and kept it to itself, the request is answered all the same', async () => {
    const url = await mountBehind((request, _response, next) => {
      request.resume();
      request.on('end', () => setImmediate(next));
    });
    expect(await post(url, line('e1'))).toMatchObject({
      status: 400,
      json: { error: { code: 'INVALID_JSON' } },
    });
  });
});

test('a stream whose reader is gone before it begins runs nothing', async () => {
  let calls = 0;
  const capability = {
    ...greet,
    execute: () => {
      calls++;
      return { message: '' };
    },
  };
  const runner = createRunner({
    name: 'images',
    capabilities: [capability],
    logger: false,
    delivery: { kind: 'push', mountAt: '/' },
  });
  const router = runner.router();
  let handled: () => void = () => undefined;
  const done = new Promise<void>((resolve) => {
    handled = resolve;
  });
  const server = createServer((request: IncomingMessage & { body?: unknown }, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      request.body = JSON.parse(text);
      response.on('close', () => {
        router(request, response, () => undefined);
        setImmediate(handled);
      });
      abandon.abort();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const abandon = new AbortController();
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/execute`;
  const headers = { 'content-type': 'application/json', accept: 'application/x-ndjson' };
  await fetch(url, { method: 'POST', headers, body: line('e1'), signal: abandon.signal }).catch(
    () => undefined,
  );
  await done;
  expect(calls).toBe(0);
});
