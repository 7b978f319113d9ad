import { Server } from 'node:http';
import { Server as NetServer } from 'node:net';
import { expect, test, vi } from 'vitest';
import { listenHttp } from './http-listener.js';

test('a connection that cannot be accepted is told of and ends nothing', async () => {
  const listen = vi.spyOn(NetServer.prototype, 'listen');
  const told: string[] = [];
  const listener = await listenHttp({
    host: '127.0.0.1',
    port: 0,
    onRequest: (_request, response) => response.end('here'),
    onMalformed: () => ({ status: '400 Bad Request', json: '{}' }),
    onError: ({ message }) => void told.push(message),
  });
  const server = listen.mock.contexts.find((context) => context instanceof Server);
  listen.mockRestore();
  // What Node does when the process has no file descriptor left.
  server?.emit('error', new Error('accept EMFILE'));
  expect(told).toEqual(['accept EMFILE']);
  expect(await (await fetch(`http://127.0.0.1:${listener.port}`)).text()).toBe('here');
  await listener.close(10);
});
