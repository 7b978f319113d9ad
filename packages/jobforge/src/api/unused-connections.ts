import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Remembers a server's connections. To node those over which nothing has come yet are not idle: it waits for their
 * first request, and a client that opened one in advance may never make one.
 * @returns cuts those off
 */
export function watchUnused(server: Server): () => void {
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => void connections.delete(socket));
  });
  return () => {
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy();
  };
}
