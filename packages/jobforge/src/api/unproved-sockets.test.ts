import { createServer, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Dialled, DoorSockets as Door } from '../doors/door.js';
import type { Log } from '../model/log.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createDoorSockets } from './door-sockets.js';
import type { UnprovedLimits } from './unproved-sockets.js';

interface Opened {
  readonly connection: RunnerConnection;
  readonly from: Dialled;
  readonly texts: string[];
  readonly isClosed: () => boolean;
}

interface Opening {
  readonly dialled: readonly Opened[];
  readonly socket: WebSocket;
}

const rawOf = (socket: WebSocket): Socket => (socket as unknown as { readonly _socket: Socket })._socket;

/** A door that does nothing, and whoever has dialled it. */
async function opened(limits: UnprovedLimits) {
  const [dialled, log]: [Opened[], ReturnType<typeof vi.fn<Log>>] = [[], vi.fn<Log>()];
  const onSocket: Door['open'] = (connection, from) => {
    const texts: string[] = [];
    let isClosed = false;
    dialled.push({ connection, from, texts, isClosed: () => isClosed });
    const nothing = (): void => undefined;
    const onText = (text: string): void => {
      texts.push(text);
      // It finds out who says that.
      if (text === 'hello') connection.pause();
    };
    return { onText, onPong: nothing, onDrain: nothing, onClose: () => void (isClosed = true) };
  };
  const clock = createManualClock();
  const sockets = createDoorSockets({ log, clock, limits });
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
    await once(socket, 'open');
    return socket;
  };
  const closed = async (socket: WebSocket): Promise<string> => {
    const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
    return `${code} ${reason.toString()}`;
  };
  return { dial, closed, dialled, log, clock };
}

const PATIENT = { timeout: 15_000 };

const TOO_MANY = '1013 too many others dial; say who you are at once';

it.each([
  ['of one address', { total: 10, perAddress: 2 }],
  ['in all', { total: 2, perAddress: 10 }],
])(
  'of sockets that have proved nothing, so many %s, the oldest goes for a new one',
  async (_what, limits) => {
    const { dial, closed, dialled, log } = await opened(limits);
    const [silent, honest] = [await dial(), await dial()];
    const gone = [closed(silent)];
    const third = await dial();
    expect(await gone[0]).toBe(TOO_MANY);
    gone.push(closed(third));
    // Who has proved who it is counts no more: the next goes beside it, and then the oldest is another.
    dialled[1]?.from.onProved();
    const fourth = await dial();
    expect(third.readyState).toBe(third.OPEN);
    await dial();
    expect(await gone[1]).toBe(TOO_MANY);
    expect([honest.readyState, fourth.readyState]).toEqual([honest.OPEN, fourth.OPEN]);
    expect(log).toHaveBeenCalledTimes(1);
  },
);

it('who has hung up counts no more', async () => {
  const { dial, closed, dialled, log } = await opened({ total: 2, perAddress: 2 });
  const [first, second] = [await dial(), await dial()];
  const hungUp = closed(first);
  first.close();
  await hungUp;
  await expect.poll(() => dialled[0]?.isClosed(), PATIENT).toBe(true);
  await dial();
  expect([second.readyState, log.mock.calls]).toEqual([second.OPEN, []]);
});

it.each([
  ['its door refuses', ({ dialled }: Opening) => dialled[0]?.connection.close(1008, 'nobody')],
  ['has said too much', ({ socket }: Opening) => socket.send('x'.repeat(20_000))],
])('who %s and does not hang up is cut off after a second', async (_what, act) => {
  const { dial, dialled, clock } = await opened({ total: 2, perAddress: 2 });
  const socket = await dial();
  const raw = rawOf(socket);
  let heard = 0;
  // It reads the farewell, and answers nothing.
  raw.removeAllListeners('data').on('data', ({ length }: Buffer) => (heard += length));
  act({ dialled, socket });
  await expect.poll(() => heard, PATIENT).toBeGreaterThan(0);
  clock.advance(999);
  expect(dialled[0]?.isClosed()).toBe(false);
  clock.advance(1);
  await expect.poll(() => dialled[0]?.isClosed(), PATIENT).toBe(true);
  socket.terminate();
});

const TOO_MUCH = '1009 before it has proved who it is, a runner says at most 16384 bytes';

it('a long message of whoever has proved nothing is refused before it is complete', async () => {
  const { dial, closed, dialled } = await opened({ total: 4, perAddress: 4 });
  const socket = await dial();
  // A frame of text that is said to have a megabyte, and never ends.
  const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0xff, 0xff, 0, 0, 0, 0]);
  rawOf(socket).write(Buffer.concat([head, Buffer.alloc(16 * 1024, 'x')]));
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
