import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { connectionOf } from './socket-connection.js';

it.each([
  ['letters', 'x'.repeat(200), 'x'.repeat(123)],
  ['characters of three bytes', `a${'猫'.repeat(60)}`, `a${'猫'.repeat(40)}`],
  ['characters of four bytes', '🐈'.repeat(60), '🐈'.repeat(30)],
])('a reason of many %s is cut to what a close frame carries', async (_what, reason, carried) => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  server.on('connection', (socket) => connectionOf(socket, () => undefined).close(1008, reason));
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [code, said] = (await once(client, 'close')) as [number, Buffer];
  expect([code, said.toString('utf8')]).toEqual([1008, carried]);
  server.close();
});
