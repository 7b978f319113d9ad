import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

/** Sends requests to one runner over connections that are kept. Redirects are never followed. */
export interface HttpSender {
  send(request: OutgoingRequest): ClientRequest;
  close(): void;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** Idle connections are given up before common servers (5 s) close them under a request that is being written. */
const IDLE_MS = 2_000;
const MAX_IDLE_SOCKETS = 16;

export function createHttpSender(): HttpSender {
  const settings = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, timeout: IDLE_MS };
  const agents = { 'http:': new HttpAgent(settings), 'https:': new HttpsAgent(settings) };
  return {
    send({ method, url, headers = {}, body = '' }) {
      const length = { ...headers, 'content-length': String(Buffer.byteLength(body)) };
      const request =
        url.protocol === 'https:'
          ? httpsRequest(url, { method, headers: length, agent: agents['https:'] })
          : httpRequest(url, { method, headers: length, agent: agents['http:'] });
      request.end(body);
      return request;
    },
    close() {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
}

/** Whether a request ever had a connection: without one, nothing of it can have arrived. */
export function watchConnection(request: ClientRequest): { readonly connected: boolean } {
  const state = { connected: false };
  request.once('socket', (socket) => {
    if (!socket.connecting) state.connected = true;
    else socket.once('connect', () => (state.connected = true));
  });
  return state;
}

/** What reading a reply's body came to. */
export type ReadBody = (
  outcome: { readonly body: string } | { readonly error: Error; readonly tooLarge: boolean },
) => void;

/** Reads a reply's body up to a limit, beyond which the connection is dropped. */
export function readBody(response: IncomingMessage, maxBytes: number, done: ReadBody): void {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let over = false;
  const settle: ReadBody = (outcome) => {
    if (over) return;
    over = true;
    done(outcome);
  };
  response.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= maxBytes) return void chunks.push(chunk);
    settle({ error: new Error(`the reply is larger than ${maxBytes} bytes`), tooLarge: true });
    response.destroy();
  });
  response.on('end', () => settle({ body: Buffer.concat(chunks).toString('utf8') }));
  response.on('error', (error) => settle({ error, tooLarge: false }));
  response.on('close', () =>
    settle({ error: new Error('the connection was closed within the reply'), tooLarge: false }),
  );
}
