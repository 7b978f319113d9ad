import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { createAskedClock } from '../util/asked-clock.suite.js';
import { createDeferred } from '../util/deferred.js';
import { createSeededRandom } from '../util/seeded-random.js';
import {
  createReconnectingSocket,
  type ReconnectingSocketOptions,
  type SocketEnd,
} from './reconnecting-socket.js';

const PING_MS = 100_000;

async function startServer(options: { autoPong?: boolean } = {}) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await once(server, 'listening');
  onTestFinished(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await once(server, 'close');
  });
  return {
    server,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    next: async (): Promise<WebSocket> => ((await once(server, 'connection')) as [WebSocket])[0],
  };
}

function connect(url: string, more: Partial<ReconnectingSocketOptions> = {}) {
  const clock = createAskedClock();
  const ends: SocketEnd[] = [];
  const ended = createDeferred<SocketEnd>();
  const socket = createReconnectingSocket({
    url,
    protocol: 'test',
    headers: () => Promise.resolve({}),
    maxPayloadBytes: 1024,
    handshakeMs: 5_000,
    pingMs: PING_MS,
    backoff: { minMs: 250, maxMs: 30_000 },
    stableMs: 30_000,
    clock,
    random: () => 1,
    onOpen: () => undefined,
    onMessage: () => undefined,
    onDrain: () => undefined,
    onEnd(end) {
      ends.push(end);
      ended.resolve(end);
      return 0;
    },
    ...more,
  });
  onTestFinished(() => socket.stop(1000, 'over'));
  return { socket, clock, ends, ended: ended.promise };
}

const isBackoff = (delayMs: number): boolean => delayMs !== PING_MS;

describe('a peer that is silent', () => {
  test('is given up when it has not answered a ping by the next, and dialled again', async () => {
    const { url, next } = await startServer({ autoPong: false });
    const opened = createDeferred<void>();
    const { socket, clock, ended } = connect(url, { onOpen: opened.resolve });
    const connected = next();
    socket.start();
    const peer = await connected;
    await opened.promise;
    const pinged = once(peer, 'ping');
    await clock.advance(PING_MS);
    await pinged;
    const again = clock.asked(isBackoff);
    await clock.advance(PING_MS);
    expect(await ended).toMatchObject({ code: 4002, opened: true });
    expect(await again).toBe(500);
  });

  test('is none as long as it says anything at all', async () => {
    const { url, next } = await startServer({ autoPong: false });
    const opened = createDeferred<void>();
    let heard = createDeferred<void>();
    const { socket, clock, ends } = connect(url, {
      onOpen: opened.resolve,
      onMessage: () => heard.resolve(),
    });
    const connected = next();
    socket.start();
    const peer = await connected;
    await opened.promise;
    for (let ping = 0; ping < 5; ping++) {
      const pinged = once(peer, 'ping');
      await clock.advance(PING_MS);
      await pinged;
      heard = createDeferred();
      peer.send('alive');
      await heard.promise;
    }
    expect(ends).toEqual([]);
  });
});

test('what was sent is confirmed by a peer that answers the latest of several pings alone', async () => {
  const { url, next } = await startServer({ autoPong: false });
  const opened = createDeferred<void>();
  const { socket, clock } = connect(url, { onOpen: opened.resolve });
  const connected = next();
  socket.start();
  const peer = await connected;
  const pings: Buffer[] = [];
  const all = createDeferred<void>();
  peer.on('ping', (data: Buffer) => {
    if (pings.push(data) === 3) all.resolve();
  });
  await opened.promise;
  const confirmed = Promise.all([socket.confirm(), socket.confirm()]);
  await clock.advance(PING_MS);
  await all.promise;
  peer.pong(pings.at(-1));
  expect(await confirmed).toEqual([true, true]);
});

test('a peer that does not read is not sent to beyond a bound, and is again once it reads', async () => {
  const { url, next } = await startServer();
  const opened = createDeferred<void>();
  const drained = createDeferred<void>();
  const { socket } = connect(url, { onOpen: opened.resolve, onDrain: drained.resolve });
  const connected = next();
  socket.start();
  const peer = await connected;
  await opened.promise;
  peer.pause();
  const message = 'x'.repeat(64 * 1024);
  let sent = 1;
  while (socket.send(message)) {
    // Loopback takes what fits the buffers of the system, in later turns of the event loop.
    if (sent++ % 8 === 0) await new Promise(setImmediate);
    expect(sent).toBeLessThan(2_000);
  }
  let received = 0;
  const all = createDeferred<void>();
  peer.on('message', () => {
    if (++received === sent) all.resolve();
  });
  peer.resume();
  await drained.promise;
  expect(socket.send('x')).toBe(true);
  await all.promise;
});

describe('the delay before the next connection', () => {
  test('grows over connections that were accepted and did not last, and is short again after one that did', async () => {
    const { url, server } = await startServer();
    let isStable = false;
    const opened = createDeferred<void>();
    server.on('connection', (peer) => {
      if (!isStable) peer.terminate();
    });
    const { socket, clock } = connect(url, {
      onOpen() {
        socket.accept();
        if (isStable) opened.resolve();
      },
    });
    const delays: number[] = [];
    let next = clock.asked(isBackoff);
    socket.start();
    for (let connection = 0; connection < 4; connection++) {
      const delayMs = await next;
      delays.push(delayMs);
      isStable = connection === 3;
      next = clock.asked(isBackoff);
      await clock.advance(delayMs);
    }
    await opened.promise;
    await clock.advance(30_000);
    for (const client of server.clients) client.terminate();
    delays.push(await next);
    expect(delays).toEqual([500, 1_000, 2_000, 4_000, 500]);
  });

  test('is not the same for many that lost their connection at once', async () => {
    const { url, server } = await startServer();
    const random = createSeededRandom(11);
    const all = Array.from({ length: 100 }, () => {
      const opened = createDeferred<void>();
      return { opened: opened.promise, ...connect(url, { random, onOpen: opened.resolve }) };
    });
    const delays = all.map(({ clock }) => clock.asked(isBackoff));
    for (const { socket } of all) socket.start();
    await Promise.all(all.map(({ opened }) => opened));
    for (const client of server.clients) client.terminate();
    const found = await Promise.all(delays);
    expect(new Set(found).size).toBeGreaterThan(60);
    expect(Math.min(...found)).toBeGreaterThanOrEqual(250);
    expect(Math.max(...found)).toBeLessThanOrEqual(500);
    // No tenth of the span takes a quarter of them.
    const tenths = Array.from(
      { length: 11 },
      (_, tenth) => found.filter((delayMs) => Math.floor((delayMs - 250) / 25) === tenth).length,
    );
    expect(Math.max(...tenths)).toBeLessThan(25);
  });
});
