import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Dialled, DoorSockets as Door } from '../doors/door.js';
import type { Log } from '../model/log.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { createDoorSockets } from './door-sockets.js';
import type { UnprovedLimits } from './unproved-sockets.js';

interface Opened {
  readonly connection: RunnerConnection;
  readonly from: Dialled;
  readonly texts: string[];
}

/** A door that does nothing, and whoever has dialled it. */
async function opened(limits: UnprovedLimits) {
  const [dialled, log]: [Opened[], ReturnType<typeof vi.fn<Log>>] = [[], vi.fn<Log>()];
  const onSocket: Door['open'] = (connection, from) => {
    const texts: string[] = [];
    dialled.push({ connection, from, texts });
    const nothing = (): void => undefined;
    const onText = (text: string): void => {
      texts.push(text);
      // It finds out who says that.
      if (text === 'hello') connection.pause();
    };
    return { onText, onPong: nothing, onDrain: nothing, onClose: nothing };
  };
  const sockets = createDoorSockets(log, limits);
  const server = createServer();
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    sockets.open({ request, socket, head, onSocket }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    sockets.terminate();
    server.close();
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dial = async (): Promise<WebSocket> => {
    const socket = new WebSocket(url);
    const refused = new Promise<never>((_resolve, reject) => {
      socket.on('unexpected-response', (_request, response) =>
        reject(new Error(`${response.statusCode} retry-after ${response.headers['retry-after']}`)),
      );
      socket.on('error', reject);
    });
    await Promise.race([once(socket, 'open'), refused]);
    return socket;
  };
  const closed = async (socket: WebSocket): Promise<string> => {
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    return `${code} ${reason.toString()}`;
  };
  return { dial, closed, dialled, log };
}

const PATIENT = { timeout: 15_000 };

it('sockets that have proved nothing are so many, of one address and in all', async () => {
  for (const limits of [
    { total: 10, perAddress: 2 },
    { total: 2, perAddress: 10 },
  ]) {
    const { dial, dialled, log } = await opened(limits);
    const first = await dial();
    await dial();
    await expect(dial()).rejects.toThrow('429 retry-after 10');
    await expect(dial()).rejects.toThrow('429');
    expect(log).toHaveBeenCalledTimes(1);
    // Who has proved who it is counts no more, and who has gone.
    dialled[1]?.from.onProved();
    await dial();
    await expect(dial()).rejects.toThrow('429');
    first.close();
    await expect.poll(() => dial().then(() => 'in', String), PATIENT).toBe('in');
  }
});

const TOO_MUCH = '1009 before it has proved who it is, a runner says at most 16384 bytes';

it('a long message of whoever has proved nothing is refused before it is complete', async () => {
  const { dial, closed, dialled } = await opened({ total: 4, perAddress: 4 });
  const socket = await dial();
  // A frame of text that is said to have a megabyte, and never ends.
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 0]);
  const raw = (socket as unknown as { readonly _socket: Socket })._socket;
  raw.write(Buffer.concat([head, Buffer.alloc(16 * 1024, 'x')]));
  expect(await closed(socket)).toBe(TOO_MUCH);
  const whole = await dial();
  whole.send('x'.repeat(20_000));
  expect(await closed(whole)).toBe(TOO_MUCH);
  expect(dialled.map(({ texts }) => texts)).toEqual([[], []]);
  const many = await dial();
  for (let count = 0; count < 20; count += 1) many.send('x'.repeat(1_000));
  expect(await closed(many)).toBe(TOO_MUCH);
});

it('whoever says who it is may go on at once, and is heard once that is proved', async () => {
  const { dial, dialled } = await opened({ total: 2, perAddress: 2 });
  const socket = await dial();
  socket.send('hello');
  socket.send('x'.repeat(900_000));
  const texts = (): number[] => (dialled[0]?.texts ?? []).map(({ length }) => length);
  await expect.poll(texts, PATIENT).toEqual([5]);
  dialled[0]?.from.onProved();
  dialled[0]?.connection.resume();
  await expect.poll(texts, PATIENT).toEqual([5, 900_000]);
});

it('one that is refused hears why', async () => {
  const { dial, closed, dialled } = await opened({ total: 2, perAddress: 2 });
  const socket = await dial();
  socket.send('hello');
  await expect.poll(() => dialled[0]?.texts.length, PATIENT).toBe(1);
  dialled[0]?.connection.close(1008, 'nobody');
  expect(await closed(socket)).toBe('1008 nobody');
});
