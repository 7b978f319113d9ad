import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NoAnswer, send } from './exchange.js';

const LIMIT_BYTES = 4 * 1024 * 1024;
const OVER_BYTES = LIMIT_BYTES + 1024 * 1024;

let server: Server | undefined;
afterEach(() => server?.close());

async function serve(listener: RequestListener): Promise<string> {
  const started = createServer(listener);
  server = started;
  await new Promise<void>((resolve) => {
    started.listen(0, '127.0.0.1', resolve);
  });
  return `http://127.0.0.1:${(started.address() as AddressInfo).port}/`;
}

describe('send', { timeout: 30_000 }, () => {
  it('sends what it is told and reads status, headers and JSON', async () => {
    const url = await serve((request, response) => {
      response.writeHead(418, { 'content-type': 'application/json', 'x-method': request.method ?? '' });
      request.on('data', (chunk: Buffer) => response.write(JSON.stringify({ got: chunk.toString() })));
      request.on('end', () => response.end());
    });
    const exchange = await send({ method: 'PUT', url, body: 'half a {' });
    expect(exchange).toMatchObject({
      status: 418,
      json: { got: 'half a {' },
      cut: false,
      headers: { 'x-method': 'PUT' },
    });
  });

  it('hands each line over as it arrives, also when characters and lines are cut between chunks', async () => {
    const seen: string[] = [];
    let write: (text: string | Buffer) => void = () => {};
    const url = await serve((_request, response) => {
      write = (chunk) => void response.write(chunk);
      write('first\n');
    });
    const euro = Buffer.from('€');
    const steps: Record<string, () => void> = {
      first: () => {
        write(Buffer.concat([Buffer.from('sec'), euro.subarray(0, 1)]));
        write(Buffer.concat([euro.subarray(1), Buffer.from('nd\nlast\n')]));
      },
    };
    const exchange = await send(
      { method: 'GET', url },
      {
        onLine: ({ text }) => {
          seen.push(text);
          steps[text]?.();
          return text === 'last';
        },
      },
    );
    expect(seen).toEqual(['first', 'sec€nd', 'last']);
    expect(exchange.cut).toBe(true);
  });

  it('tells a reply that broke off from one that ended', async () => {
    const url = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': '100' });
      response.write('not all of it', () => response.destroy());
    });
    expect(await send({ method: 'GET', url })).toMatchObject({
      status: 200,
      cut: true,
      text: 'not all of it',
    });
  });

  it('hears out who answers at a limit and closes the connection, when the body goes in pieces', async () => {
    const url = await serve((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes < LIMIT_BYTES || response.headersSent) return;
        response.writeHead(413, { 'content-type': 'application/json', connection: 'close' });
        response.end('{"refused":true}', () => request.destroy());
      });
    });
    const request = { method: 'POST', url, body: 'x'.repeat(OVER_BYTES) };
    for (let tries = 0; tries < 5; tries += 1)
      expect(await send(request, { inPieces: true })).toMatchObject({
        ...{ status: 413, json: { refused: true }, cut: false },
      });
  });

  it('sends all of a body in pieces to who reads it', async () => {
    const url = await serve((request, response) => {
      let bytes = 0;
      request.on('data', (chunk: Buffer) => (bytes += chunk.length));
      request.on('end', () => response.end(String(bytes)));
    });
    const exchange = await send({ method: 'POST', url, body: 'ü'.repeat(OVER_BYTES) }, { inPieces: true });
    expect(exchange).toMatchObject({ status: 200, text: String(2 * OVER_BYTES) });
  });

  it('throws NoAnswer when nothing listens, and when time is up', async () => {
    await expect(send({ method: 'GET', url: 'http://127.0.0.1:1/' })).rejects.toThrow(/ECONNREFUSED/);
    const url = await serve(() => {});
    const late = send({ method: 'GET', url }, { signal: AbortSignal.timeout(50) });
    await expect(late).rejects.toThrow(NoAnswer);
    await expect(late).rejects.toThrow('no reply in time');
    server?.closeAllConnections();
  });
});
