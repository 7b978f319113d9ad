import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { DoorSocket, DoorSockets as Door } from '../doors/door.js';
import type { Log } from '../model/log.js';
import { connectionOf } from './socket-connection.js';

/** A request to dial in at a door: nobody has proved anything yet. */
export interface Knock {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly onSocket: Door['open'];
}

/** The sockets that foreign runners have dialled. */
export interface DoorSockets {
  open(knock: Knock): void;
  /** Says farewell to all. */
  close(): void;
  /** Cuts off whoever is left. */
  terminate(): void;
}

/** Bytes of one message. Whoever sends it may have proved nothing. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

export function createDoorSockets(log: Log): DoorSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return {
    open({ request, socket: stream, head, onSocket }) {
      server.handleUpgrade(request, stream, head, (socket) => {
        const connection = connectionOf(socket, () => door.onDrain());
        const door: DoorSocket = onSocket(connection, request.socket.remoteAddress ?? '');
        socket.on('message', (data: Buffer, isBinary) => {
          if (isBinary || socket.readyState !== socket.OPEN) return;
          try {
            door.onText(data.toString('utf8'));
          } catch (error) {
            log('error', 'a message of a foreign runner could not be dealt with', { error });
            socket.close(1011);
          }
        });
        socket.on('pong', () => door.onPong());
        // What is not WebSocket, or too large, is closed by the protocol's own codes.
        socket.on('error', () => undefined);
        socket.on('close', () => door.onClose());
      });
    },
    close() {
      for (const socket of server.clients) socket.close(1001, 'JobForge is shutting down.');
    },
    terminate() {
      for (const socket of server.clients) socket.terminate();
    },
  };
}
