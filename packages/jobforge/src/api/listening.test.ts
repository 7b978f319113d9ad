import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listening } from './listening.js';

async function failure(port: number, host: string): Promise<Error> {
  try {
    await listening(createServer(), { host, port });
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('it listens');
}

describe('an address where nothing can be served', () => {
  it('ends a program that lets it through with one sentence', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => {
      taken.close();
    });
    const { port } = taken.address() as AddressInfo;
    const error = await failure(port, '127.0.0.1');
    expect(error).toMatchObject({ code: 'EADDRINUSE' });
    // What Node prints of an error that nobody catches.
    expect(inspect(error)).toBe(
      `[Error: JobForge cannot listen on 127.0.0.1:${port}: the port is taken. Stop what listens there, or choose another port.]`,
    );
  });

  it('is told by its host where that is at fault', async () => {
    expect((await failure(0, '192.0.2.1')).message).toBe(
      'JobForge cannot listen on 192.0.2.1:0: the host is no address of this machine. Choose another host.',
    );
  });
});
