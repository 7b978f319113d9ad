import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer, type WebSocket } from 'ws';
import type { DoorSocket, DoorSockets as Door } from '../doors/door.js';
import { systemClock, type Clock } from '../model/clock.js';
import { JobForgeError } from '../model/job-forge-error.js';
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
/** Milliseconds in which a farewell is read by whoever has proved nothing. */
const FAREWELL_MS = 1_000;
/** Try again later. */
const TOO_MANY = { code: 1013, reason: 'too many others dial; say who you are at once' } as const;

export interface DoorSocketsParts {
  readonly log: Log;
  /** Default: the machine's own. */
  readonly clock?: Clock;
  readonly limits?: UnprovedLimits;
}

interface Unproved {
  readonly clock: Clock;
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
  /** It is said farewell: reads on, so that the answer is heard, and cuts it off where none comes. */
  release(): void;
}

function createThreshold({ clock, socket, stream, onProved, onText }: Unproved): Threshold {
  let isProved = false;
  let bytes = 0;
  let stopTimer: (() => void) | undefined;
  const release = (): void => {
    if (isProved) return;
    socket.resume();
    stopTimer ??= clock.after(FAREWELL_MS, () => socket.terminate());
  };
  stream.once('close', () => stopTimer?.());
  const refuse = (): void => {
    socket.close(1009, `before it has proved who it is, a runner says at most ${MAX_UNPROVED_BYTES} bytes`);
    release();
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
    release,
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
      threshold.release();
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
  socket.on('error', threshold.release);
  socket.on('close', () => door.onClose());
}

export function createDoorSockets({
  log,
  clock = systemClock,
  limits = UNPROVED_LIMITS,
}: DoorSocketsParts): DoorSockets {
  const unproved = createUnprovedSockets(log, limits);
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
  });
  return {
    open({ request, socket: stream, head, onSocket }) {
      let opened: WebSocket | undefined;
      const onProved = unproved.enter(request.socket.remoteAddress ?? '', () => {
        opened?.close(TOO_MANY.code, TOO_MANY.reason);
        stream.destroy();
      });
      stream.once('close', onProved);
      try {
        server.handleUpgrade(request, stream, head, (socket) => {
          opened = socket;
          serve(log, { clock, socket, stream, onProved }, { request, onSocket });
        });
      } catch (error) {
        log('error', 'a socket could not be opened', { error });
        refuseSocket(stream, new JobForgeError('INTERNAL_ERROR'));
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
