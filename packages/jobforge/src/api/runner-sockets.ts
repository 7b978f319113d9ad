import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES, WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { WebSocketServer, type WebSocket } from 'ws';
import { JobForgeError } from '../model/job-forge-error.js';
import type { Caller } from '../model/caller.js';
import type { Log } from '../model/log.js';
import type { Operations } from '../model/operations.js';
import type { RunnerSession } from '../model/runner-connection.js';
import { HTTP_LIMITS } from './http-limits.js';
import { readFrame } from './runner-frames.js';
import { connectionOf } from './socket-connection.js';

/** A request to dial in, and who made it. */
export interface Dialled {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly caller: Caller;
}

/** The sockets that runners have dialled. */
export interface RunnerSockets {
  /** Answers a request to dial in whose host and origin were found good. */
  open(dialled: Dialled): void;
  /** Says farewell to all. */
  close(): void;
  /** Cuts off whoever is left. */
  terminate(): void;
}

/** Bytes beyond the largest body that a frame around it may add. */
const FRAME_BYTES = 64 * 1024;
interface SocketParts {
  readonly operations: Operations;
  readonly log: Log;
}

/** Carries what comes over a socket to its session. */
function serve(socket: WebSocket, { operations, log, caller }: SocketParts & { caller: Caller }): void {
  const session: RunnerSession = operations.connectRunner(
    connectionOf(socket, () => session.onDrain()),
    caller,
  );
  const refuse = (error: JobForgeError): void => {
    socket.send(JSON.stringify({ type: 'refused', error: error.envelope }));
    socket.close(CLOSE_CODES.protocol, error.envelope.code);
  };
  socket.on('message', (data, isBinary) => {
    if (socket.readyState !== socket.OPEN) return;
    try {
      const frame = readFrame(data as Buffer, isBinary);
      if (frame !== undefined) session.onFrame(frame);
    } catch (error) {
      if (error instanceof JobForgeError) return refuse(error);
      log('error', 'a frame could not be dealt with', { error });
      refuse(new JobForgeError('INTERNAL_ERROR'));
    }
  });
  socket.on('pong', () => session.onPong());
  // What is not WebSocket, or too large, is closed by the protocol's own codes.
  socket.on('error', () => undefined);
  socket.on('close', () => session.onClose());
}

export function createRunnerSockets(parts: SocketParts): RunnerSockets {
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: HTTP_LIMITS.maxBodyBytes + FRAME_BYTES,
    perMessageDeflate: false,
    handleProtocols: () => WEBSOCKET_PROTOCOL,
  });
  return {
    open: ({ request, socket, head, caller }) =>
      server.handleUpgrade(request, socket, head, (ws) => serve(ws, { ...parts, caller })),
    close() {
      for (const socket of server.clients) socket.close(1001, 'JobForge is shutting down.');
    },
    terminate() {
      for (const socket of server.clients) socket.terminate();
    },
  };
}

/** Why a request cannot become a runner's socket; undefined where it can. */
export function dialRefusal({ method, headers }: IncomingMessage): JobForgeError | undefined {
  const refusal = (message: string): JobForgeError => new JobForgeError('VALIDATION_ERROR', { message });
  if (method !== 'GET') return refusal(`A socket is opened by GET, not by ${method}.`);
  if (headers['sec-websocket-version'] !== '13')
    return refusal('Only version 13 of WebSocket is spoken here.');
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  if (offered.includes(WEBSOCKET_PROTOCOL)) return undefined;
  return refusal(
    `The subprotocol ${WEBSOCKET_PROTOCOL} was not offered (${offered.join(', ').slice(0, 128) || 'none was'}).`,
  );
}
