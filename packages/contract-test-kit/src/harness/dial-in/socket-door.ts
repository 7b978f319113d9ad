import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { CLOSE_CODES, WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { WebSocketServer, type WebSocket } from 'ws';
import { errorOf, errorReply, membersOf, type Answer } from '../control-plane-script.js';
import { parseJson, type MessageKind, type RecordedMessage } from '../recorded-message.js';
import type { PlaneCore } from '../plane-core.js';
import { takeOffers, type Connection, type DialInState, type Door } from './dial-in.js';
import { createLinkFaults, type LinkFaults } from './link-faults.js';
import type { Told } from './offer-book.js';

/** Bytes of one message that are read. */
const MAX_MESSAGE_BYTES = 8 * 1024 * 1024;

/** The sockets of a runner. */
export interface SocketDoor extends Door {
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Reads and answers nothing more over the socket that there is, and leaves it open: a half-open connection. */
  freeze(): void;
  /** Pings; the answers are told by the connection. */
  ping(): void;
  close(): void;
}

interface Live {
  readonly socket: WebSocket;
  readonly connection: Connection;
  isReady: boolean;
  isFrozen: boolean;
}

interface Parts {
  readonly core: PlaneCore;
  readonly state: DialInState;
  readonly faults: LinkFaults;
  /** Takes what failed in the control plane itself. */
  readonly onFault: (error: Error) => void;
  live: Live | undefined;
}

/** Sends one message, or does to it what its lot is. */
function send({ faults }: Parts, live: Live, message: object | string): void {
  const { socket } = live;
  const text = typeof message === 'string' ? message : JSON.stringify(message);
  if (live.isFrozen) return;
  faults.pass(
    () => {
      if (socket.readyState === socket.OPEN && !live.isFrozen) socket.send(text);
    },
    () => socket.terminate(),
  );
}

function flush(parts: Parts): void {
  const { live, state } = parts;
  if (!live?.isReady || live.isFrozen) return;
  const executions = takeOffers(state.waiting, Number.POSITIVE_INFINITY);
  if (executions.length > 0) send(parts, live, { type: 'offers', executions });
  for (const frame of state.waiting.frames.splice(0)) send(parts, live, frame);
}

/** The executions of a frame, as far as they can be read. */
function executionsOf(text: string, connection: number): Told[] {
  const frame = Object(parseJson(text)) as { readonly executions?: unknown };
  if (!Array.isArray(frame.executions)) return [];
  return frame.executions.map((one) => ({ ...(Object(one) as Told), connection }));
}

function onRegister(parts: Parts, live: Live, { message, answer }: Heard): void {
  const { core, state } = parts;
  const error = errorOf(answer);
  if (error) {
    live.socket.send(JSON.stringify({ type: 'refused', error }));
    return live.socket.close(CLOSE_CODES.refused, error.code);
  }
  const { held } = Object(message.json) as { readonly held?: unknown };
  state.registered('websocket', Array.isArray(held) ? (held as string[]) : []);
  live.isReady = true;
  const registration = { ...core.registered(), ...membersOf(answer) };
  live.socket.send(JSON.stringify({ type: 'ready', registration }));
  flush(parts);
}

function onAccept(parts: Parts, live: Live, { message }: Heard): void {
  const executions = executionsOf(message.text, live.connection.index).flatMap((told) => {
    const verdict = parts.state.book.accept(told);
    const { executionId } = told;
    if (verdict === 'withhold') return [];
    return [verdict === undefined ? { executionId } : { executionId, code: verdict }];
  });
  if (executions.length > 0) send(parts, live, { type: 'confirmed', executions });
}

function onEvents(parts: Parts, live: Live, { message }: Heard): void {
  const executions = executionsOf(message.text, live.connection.index).flatMap((told) => {
    const { executionId } = told;
    const said = parts.state.book.tell(told);
    if ('seq' in said) return [{ executionId, seq: said.seq }];
    return said.verdict === 'withhold' ? [] : [{ executionId, seq: 0, code: said.verdict }];
  });
  if (executions.length > 0) send(parts, live, { type: 'acknowledged', executions });
}

interface Heard {
  readonly message: RecordedMessage;
  readonly answer: Answer | undefined;
}

type Listener = (parts: Parts, live: Live, heard: Heard) => void;

const LISTENERS: Readonly<Partial<Record<MessageKind, Listener>>> = {
  register: onRegister,
  heartbeat(parts, live, { answer }) {
    if (errorOf(answer)) return;
    send(parts, live, {
      type: 'heartbeat',
      reply: { ...parts.core.usual('heartbeat'), ...membersOf(answer) },
    });
  },
  accept: onAccept,
  events: onEvents,
  deregister: (_parts, live) => live.socket.close(1000, 'The runner has left.'),
};

const KINDS = new Set<unknown>(Object.keys(LISTENERS));

function onMessage(parts: Parts, live: Live, text: string): void {
  const { connection } = live;
  const frame = Object(parseJson(text)) as Readonly<Record<string, unknown>>;
  const kind = KINDS.has(frame['type']) ? (frame['type'] as MessageKind) : 'other';
  const carried =
    kind === 'register' ? frame['registration'] : kind === 'heartbeat' ? frame['heartbeat'] : frame;
  const path = String(frame['type']);
  const arrived = {
    kind,
    method: 'FRAME',
    path,
    text,
    json: carried,
    headers: {},
    connection: connection.index,
  };
  const heard = parts.core.hear(arrived);
  try {
    if (heard.answer === 'drop') live.socket.terminate();
    else if (heard.answer !== 'silence') LISTENERS[kind]?.(parts, live, heard);
  } catch (error) {
    // No message of a runner ends the kit.
    parts.onFault(error instanceof Error ? error : new Error(String(error)));
    live.socket.terminate();
  }
  parts.core.record.add(heard.message);
}

function welcome(parts: Parts, socket: WebSocket): void {
  const { connections } = parts.state;
  const connection: Connection = {
    index: connections.length,
    protocol: socket.protocol === '' ? undefined : socket.protocol,
    pongs: [],
  };
  const live: Live = { socket, connection, isReady: false, isFrozen: false };
  connections.push(connection);
  parts.live = live;
  socket.on('message', (data: Buffer) => onMessage(parts, live, data.toString('utf8')));
  socket.on('pong', () => connection.pongs.push(performance.now()));
  // What is not WebSocket is closed by the protocol's own codes.
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (parts.live === live) parts.live = undefined;
  });
}

function refuse(socket: Duplex, reply: ReturnType<typeof errorReply>): void {
  const headers = Object.entries({ ...reply.headers, connection: 'close' }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  socket.end(`HTTP/1.1 ${reply.status} Refused\r\n${headers.join('')}\r\n${reply.text}`);
}

/** Makes the door that sockets come in by. */
export function createSocketDoor(
  core: PlaneCore,
  state: DialInState,
  onFault: (error: Error) => void,
): SocketDoor {
  const faults = createLinkFaults(state.script.faults);
  const parts: Parts = { core, state, faults, onFault, live: undefined };
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_MESSAGE_BYTES,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(WEBSOCKET_PROTOCOL) ? WEBSOCKET_PROTOCOL : false),
  });
  return {
    upgrade(request, socket, head) {
      const [path = '', query = ''] = (request.url ?? '/').split('?');
      const { message, answer } = core.hear({
        ...{ kind: 'connect', method: 'GET', path, query, text: '' },
        headers: request.headers as Record<string, string | undefined>,
      });
      const error = path === '/runners/connect' ? errorOf(answer) : errorOf({ error: 'ROUTE_NOT_FOUND' });
      if (answer === 'drop') socket.destroy();
      else if (error) refuse(socket, errorReply(error));
      else if (answer !== 'silence') server.handleUpgrade(request, socket, head, (ws) => welcome(parts, ws));
      core.record.add(message);
    },
    isOpen: () => parts.live?.isReady === true && !parts.live.isFrozen,
    flush: () => flush(parts),
    cut() {
      for (const socket of server.clients) socket.terminate();
    },
    freeze() {
      if (!parts.live) return;
      parts.live.isFrozen = true;
      parts.live.socket.pause();
    },
    ping: () => parts.live?.socket.ping(),
    close() {
      for (const socket of server.clients) socket.terminate();
    },
  };
}
