import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, serveApi } from './api-server.fixture.js';

afterEach(closeApis);

describe('a request to dial in', () => {
  const upgrade = (
    target: string,
    headers: Record<string, string>,
    path = '/runners/connect',
  ): Promise<string> =>
    new Promise((resolve) => {
      const { port } = new URL(target);
      const lines = {
        host: 'localhost',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-protocol': 'controlplane.v1',
        ...headers,
      };
      const head = Object.entries(lines).map(([name, value]) => `${name}: ${value}`);
      const socket = connect(Number(port), '127.0.0.1', () =>
        socket.write(`GET ${path} HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n`),
      );
      socket.once('data', (chunk) => {
        resolve(chunk.toString());
        socket.destroy();
      });
    });

  it.each([
    ['from a page of another origin', { origin: 'https://evil.example' }, /403 [^]*HOST_NOT_ALLOWED/],
    ['to another host', { host: 'evil.example' }, /403 [^]*HOST_NOT_ALLOWED/],
    ['without the subprotocol', { 'sec-websocket-protocol': 'chat' }, /400 [^]*controlplane\.v1/],
    ['of another version', { 'sec-websocket-version': '8' }, /400 [^]*VALIDATION_ERROR/],
  ])('%s is refused with an envelope', async (_what, headers, answer) => {
    const { url } = await serveApi();
    expect(await upgrade(url, headers)).toMatch(answer);
  });

  it('elsewhere finds nothing', async () => {
    const { url } = await serveApi();
    expect(await upgrade(url, {}, '/jobs')).toMatch(/404 [^]*ROUTE_NOT_FOUND/);
  });

  it('that is none, but wishes for HTTP/2, is answered as what it is otherwise', async () => {
    const { url } = await serveApi();
    const body = JSON.stringify({ type: 'x', payload: { type: 'x', data: {} } });
    const answer = await new Promise<{ status: number | undefined; text: string }>((resolve, reject) => {
      const sent = request(
        `${url}/jobs`,
        {
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': String(body.length),
            connection: 'Upgrade, HTTP2-Settings',
            upgrade: 'h2c',
            'http2-settings': 'AAMAAABkAAQAAP__',
          },
        },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => (text += chunk.toString()));
          response.on('end', () => resolve({ status: response.statusCode, text }));
        },
      );
      sent.on('error', reject);
      sent.write(body.slice(0, 10));
      setImmediate(() => sent.end(body.slice(10)));
    });
    expect(answer).toMatchObject({
      status: 202,
      text: expect.stringContaining('"status":"queued"') as string,
    });
  });
});
