import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { envelopeOf } from '@controlplane/contracts';
import {
  errorOf,
  errorReply,
  membersOf,
  type Answer,
  type ControlPlaneScript,
} from './control-plane-script.js';
import { createDialIn, type DialIn, type DialInState } from './dial-in/dial-in.js';
import { createPollDoor, type PollDoor, type PollReply } from './dial-in/poll-door.js';
import { createSocketDoor, type SocketDoor } from './dial-in/socket-door.js';
import { pause } from './pause.js';
import { createPlaneCore, type PlaneCore } from './plane-core.js';
import { kindOfRequest, type MessageKind, type RecordedMessage } from './recorded-message.js';

export type { ControlPlaneScript } from './control-plane-script.js';
export type { MessageKind, RecordedMessage } from './recorded-message.js';

export interface RecordingControlPlane {
  readonly url: string;
  readonly messages: readonly RecordedMessage[];
  /** What failed in the control plane itself: no runner is to blame for what it made of that. */
  readonly faults: readonly Error[];
  of(kind: MessageKind): readonly RecordedMessage[];
  /** The first message that fits, among those that came and those to come; undefined after `timeoutMs`. */
  waitFor(
    fits: (message: RecordedMessage) => boolean,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<RecordedMessage | undefined>;
  /** The id that the newest registration was given. */
  runnerId(): string | undefined;
  /** The end of a runner that dials in. */
  readonly dialIn: DialIn;
  /** The sockets of a runner that dials in. */
  readonly sockets: SocketDoor;
  close(): Promise<void>;
}

export interface ControlPlaneOptions {
  /** 0, the default, takes a free one. */
  readonly port?: number | undefined;
  /** Default: 127.0.0.1. */
  readonly host?: string | undefined;
  readonly script?: ControlPlaneScript | undefined;
}

/** A sender may go while it speaks: that is no fault of the control plane. */
const isBrokenLink = (error: Error & { readonly code?: string }): boolean =>
  ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE'].includes(error.code ?? '') ||
  error.message === 'aborted';

/** Another process listens where the control plane was told to. */
export class PortTaken extends Error {
  override readonly name = 'PortTaken';
  constructor(readonly port: number) {
    super(
      `port ${port} of 127.0.0.1 is taken: stop what listens there, or choose another --control-plane-port`,
    );
  }
}

/** The whole body of a request. */
export async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of request as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function write(response: ServerResponse, reply: PollReply): void {
  if (reply === 'silence' || response.destroyed) return;
  if (reply === 'drop') return void response.socket?.destroy();
  const { status, headers, text } = reply;
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  });
  response.end(text);
}

interface Parts {
  readonly core: PlaneCore;
  readonly dialIn: DialInState;
  readonly polls: PollDoor;
}

/** Whether a registration wants to be polled for, or pushed to. */
function noteDelivery({ dialIn }: Parts, json: unknown): void {
  const { delivery, held } = Object(json) as { readonly delivery?: unknown; readonly held?: unknown };
  const { kind } = Object(delivery) as { readonly kind?: unknown };
  dialIn.registered(kind === 'long-poll' ? kind : undefined, Array.isArray(held) ? (held as string[]) : []);
}

function usualReply(parts: Parts, message: RecordedMessage, answer: Answer | undefined): PollReply {
  const { core, polls } = parts;
  const { kind, json } = message;
  if (answer === 'drop' || answer === 'silence') return answer;
  const error = errorOf(answer);
  if (error) return errorReply(error);
  if (answer && 'html' in answer)
    return { status: answer.status, headers: { 'content-type': 'text/html' }, text: answer.html };
  if (kind === 'accept') return polls.accept(message);
  if (kind === 'events') return polls.events(message);
  if (kind === 'register') noteDelivery(parts, json);
  const usual = core.usual(kind);
  return usual
    ? { status: 200, text: JSON.stringify({ ...usual, ...membersOf(answer) }) }
    : errorReply(envelopeOf('ROUTE_NOT_FOUND', { service: 'contract-test-kit' }));
}

async function handle(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { core, polls } = parts;
  const closed = new AbortController();
  response.once('close', () => closed.abort());
  const text = await readBody(request);
  const method = request.method ?? 'GET';
  const [path = '/', query = ''] = (request.url ?? '/').split('?');
  const kind = kindOfRequest(method, path);
  const headers = request.headers as Record<string, string | undefined>;
  const { message, answer } = core.hear({ kind, method, path, query, text, headers });
  if (typeof answer === 'object' && 'afterMs' in answer) await pause(answer.afterMs, closed.signal);
  try {
    if (kind === 'poll' && answer === undefined)
      polls.poll(message, { closed: closed.signal, reply: (reply) => write(response, reply) });
    else write(response, usualReply(parts, message, answer));
  } finally {
    core.record.add(message);
  }
}

function listen(server: Server, { port = 0, host = '127.0.0.1' }: ControlPlaneOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTaken(port) : error);
    });
    server.listen(port, host, resolve);
  });
}

/**
 * Starts a control plane on 127.0.0.1 that answers as the contract says, over all three deliveries, writes down every
 * message and can be told to answer otherwise.
 */
export async function startRecordingControlPlane(
  options: ControlPlaneOptions = {},
): Promise<RecordingControlPlane> {
  const core = createPlaneCore(options.script ?? {});
  const dialIn = createDialIn(core.script);
  const parts: Parts = { core, dialIn, polls: createPollDoor(dialIn) };
  const faults: Error[] = [];
  const sockets = createSocketDoor(core, dialIn, (error) => faults.push(error));
  dialIn.doors.set('websocket', sockets).set('long-poll', parts.polls);
  const server = createServer((request, response) => {
    handle(parts, request, response).catch((error: Error) => {
      if (!isBrokenLink(error)) faults.push(error);
      response.socket?.destroy();
    });
  });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    sockets.upgrade(request, socket, head);
  });
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    messages: core.record.messages,
    faults,
    of: core.record.of,
    waitFor: core.record.waitFor,
    runnerId: core.runnerId,
    dialIn,
    sockets,
    close: () =>
      new Promise((resolve) => {
        sockets.close();
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
