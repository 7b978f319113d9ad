import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NoAnswer, send } from './exchange.js';

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

describe('send', () => {
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

  it('throws NoAnswer when nothing listens, and when time is up', async () => {
    await expect(send({ method: 'GET', url: 'http://127.0.0.1:1/' })).rejects.toThrow(/ECONNREFUSED/);
    const url = await serve(() => {});
    const late = send({ method: 'GET', url }, { signal: AbortSignal.timeout(50) });
    await expect(late).rejects.toThrow(NoAnswer);
    await expect(late).rejects.toThrow('no reply in time');
    server?.closeAllConnections();
  });
});
