import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { DoorSocket, DoorSockets as Door } from '../doors/door.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { refuseSocket } from './error-reply.js';
import { connectionOf } from './socket-connection.js';
import { createUnprovedSockets, UNPROVED_LIMITS, type UnprovedLimits } from './unproved-sockets.js';

/** A request to dial in at a door: nobody has proved anything yet. */
export interface Knock {
  readonly request: IncomingMessage;
  readonly socket: Socket;
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

/** Bytes of one message of whoever has proved who it is. */
const MAX_MESSAGE_BYTES = 1024 * 1024;
/** Of all that is read before that is proved. */
const MAX_UNPROVED_BYTES = 16 * 1024;

interface Unproved {
  readonly socket: WebSocket;
  readonly stream: Socket;
  readonly onProved: () => void;
  readonly onText: (text: string) => void;
}

/** Of whoever has proved nothing, little is read. */
interface Threshold {
  /** A message has come. */
  take(data: Buffer): void;
  proved(): void;
  /** Reads on, so that the other side is heard when it answers a farewell. */
  release(): void;
}

function createThreshold({ socket, stream, onProved, onText }: Unproved): Threshold {
  let isProved = false;
  let bytes = 0;
  const refuse = (): void => {
    socket.close(1009, `before it has proved who it is, a runner says at most ${MAX_UNPROVED_BYTES} bytes`);
    // What comes now is dropped; the other side is let read the farewell before it is cut off.
    stream.removeAllListeners('data');
    stream.resume();
  };
  const count = (chunk: Buffer): void => {
    // While its door finds out who it is nothing more is read than what came in one go with what it said of that.
    if (!socket.isPaused) bytes += chunk.length;
    if (bytes > MAX_UNPROVED_BYTES) refuse();
  };
  stream.on('data', count);
  return {
    take(data) {
      if (isProved || socket.isPaused || data.length <= MAX_UNPROVED_BYTES) onText(data.toString('utf8'));
      else refuse();
    },
    proved() {
      if (isProved) return;
      isProved = true;
      stream.off('data', count);
      onProved();
    },
    release: () => void (isProved || socket.resume()),
  };
}

/** Lets a socket speak to its door. */
function serve(
  log: Log,
  unproved: Omit<Unproved, 'onText'>,
  { request, onSocket }: Pick<Knock, 'request' | 'onSocket'>,
): void {
  const { socket } = unproved;
  const onText = (text: string): void => {
    try {
      if (socket.readyState === socket.OPEN) door.onText(text);
    } catch (error) {
      log('error', 'a message of a foreign runner could not be dealt with', { error });
      socket.close(1011);
    }
  };
  const threshold = createThreshold({ ...unproved, onText });
  const plain = connectionOf(socket, () => door.onDrain());
  const connection: RunnerConnection = {
    ...plain,
    close(code, reason) {
      threshold.release();
      plain.close(code, reason);
    },
  };
  const address = request.socket.remoteAddress ?? '';
  const door: DoorSocket = onSocket(connection, { address, onProved: threshold.proved });
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary && socket.readyState === socket.OPEN) threshold.take(data);
  });
  socket.on('pong', () => door.onPong());
  // What is not WebSocket, or too large, is closed by the protocol's own codes.
  socket.on('error', () => undefined);
  socket.on('close', () => door.onClose());
}

export function createDoorSockets(log: Log, limits: UnprovedLimits = UNPROVED_LIMITS): DoorSockets {
  const unproved = createUnprovedSockets(log, limits);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return {
    open({ request, socket: stream, head, onSocket }) {
      try {
        const onProved = unproved.enter(request.socket.remoteAddress ?? '');
        stream.once('close', onProved);
        server.handleUpgrade(request, stream, head, (socket) =>
          serve(log, { socket, stream, onProved }, { request, onSocket }),
        );
      } catch (error) {
        if (!isJobForgeError(error)) log('error', 'a socket could not be opened', { error });
        refuseSocket(stream, isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR'));
      }
    },
    close() {
      for (const socket of server.clients) socket.close(1001, 'JobForge is shutting down.');
    },
    terminate() {
      for (const socket of server.clients) socket.terminate();
    },
  };
}
