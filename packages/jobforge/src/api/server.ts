/**
 * @module
 * api/ puts the operations of the control plane on HTTP, as the ENDPOINTS table of the contract says.
 * It imports contracts, model/, node:http and express; never store, links or scheduler. A node:http
 * listener answers the hot paths itself and hands everything else to express behind it; both end in
 * the same routes.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Doors } from '../doors/door.js';
import { OPEN_GATE, type Gate } from '../model/caller.js';
import type { Operations } from '../model/operations.js';
import { silentLog, type Log } from '../model/log.js';
import { createAuthenticate } from './authentication.js';
import { isTooLong, declaredLength } from './body-reader.js';
import { answerUnreadable, sendError } from './error-reply.js';
import { createDoorSockets } from './door-sockets.js';
import { createExpressApp } from './express-app.js';
import { createHostGuard } from './host-guard.js';
import { createHotRoutes } from './hot-routes.js';
import { createHttpMeters } from './http-meters.js';
import { HTTP_LIMITS } from './http-limits.js';
import { listening } from './listening.js';
import { createRoutes } from './routes.js';
import { createServe } from './serve.js';
import { createRunnerSockets, type RunnerSockets } from './runner-sockets.js';
import { watchUnused } from './unused-connections.js';
import { serveUpgrades } from './upgrades.js';

export interface ApiServerOptions {
  readonly operations: Operations;
  /** Address to listen on. While it is a loopback address, the host header of every request is checked. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Host names accepted beside those of this machine. Default: none. */
  readonly allowedHosts?: readonly string[];
  /** Certificate and key in PEM. Default: HTTP. */
  readonly tls?: TlsIdentity | undefined;
  /** For runners of other control planes. Default: none. */
  readonly doors?: Doors | undefined;
  /** Says who asks. Default: whoever does may. */
  readonly gate?: Gate;
  /** Hears of what no caller is told. Default: nobody. */
  readonly log?: Log;
  /** Milliseconds between two comments on an event stream that has nothing else to say. Default: 15 s. */
  readonly keepAliveMs?: number;
}

/** What the server proves itself with to whoever connects. */
export interface TlsIdentity {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  readonly passphrase?: string | undefined;
}

export interface ApiServer {
  /** Rejects with the listener's own error, such as EADDRINUSE. */
  listen(): Promise<{ url: string; port: number }>;
  /** Ends event streams, lets requests that are being answered finish for 5 s, then cuts what is left. */
  close(): Promise<void>;
}

/** The HTTP side of JobForge. Nothing listens until `listen()`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const { operations, host, port, doors, log = silentLog } = options;
  const closing = new AbortController();
  const meters = createHttpMeters();
  const routes = createRoutes({
    meters,
    operations,
    closing: closing.signal,
    keepAliveMs: options.keepAliveMs ?? HTTP_LIMITS.keepAliveCommentMs,
  });
  const authenticate = createAuthenticate(options.gate ?? OPEN_GATE, operations);
  const serve = createServe({ log, authenticate, meters });
  const guard = createHostGuard({
    host,
    allowedHosts: options.allowedHosts ?? [],
    scheme: options.tls === undefined ? 'http' : 'https',
  });
  const app = createExpressApp({ routes, serve, operations, log, doors });
  const hotRoute = createHotRoutes(routes);

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    if (closing.signal.aborted) response.shouldKeepAlive = false;
    const refusal = guard(request);
    if (refusal) return sendError({ request, response, error: refusal, log });
    const hot = hotRoute(request);
    if (hot) void serve(hot.route, { request, response, params: hot.params });
    else app(request, response);
  };

  const server = createListener(
    {
      // A request without a host header is refused by the guard, in our own words.
      requireHostHeader: false,
      headersTimeout: HTTP_LIMITS.headersTimeoutMs,
      requestTimeout: HTTP_LIMITS.requestTimeoutMs,
      keepAliveTimeout: HTTP_LIMITS.keepAliveTimeoutMs,
      maxHeaderSize: HTTP_LIMITS.maxHeaderBytes,
      noDelay: true,
    },
    onRequest,
    options.tls,
  );
  server.maxConnections = HTTP_LIMITS.maxConnections;
  const cutUnused = watchUnused(server);
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    // What is too large by its own word is refused before a byte of it is sent.
    if (!isTooLong(declaredLength(request))) response.writeContinue();
    onRequest(request, response);
  });
  // An expectation that nobody knows is ignored rather than answered without an envelope.
  server.on('checkExpectation', onRequest);
  server.on('connect', (_request: IncomingMessage, socket: Socket) =>
    answerUnreadable(new Error('CONNECT'), socket),
  );
  const sockets = createRunnerSockets({ operations, log });
  const doorSockets = createDoorSockets({ log });
  const { signal } = closing;
  serveUpgrades({ server, guard, sockets, doors, doorSockets, authenticate, log, closing: signal });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => answerUnreadable(error, socket));

  return {
    listen: () => listening(server, { host, port, secure: options.tls !== undefined }),
    close: () => closed({ server, closing, sockets: [sockets, doorSockets], cutUnused }),
  };
}

/** Over TLS where there is something to prove itself with. */
function createListener(
  http: ServerOptions,
  onRequest: RequestListener,
  tls: TlsIdentity | undefined,
): Server {
  if (tls === undefined) return createServer(http, onRequest);
  const { cert, key, passphrase } = tls;
  const identity = {
    cert,
    key,
    minVersion: 'TLSv1.2',
    ...(passphrase !== undefined && { passphrase }),
  } as const;
  return createSecureServer({ ...http, ...identity }, onRequest);
}

interface Closing {
  readonly server: Server;
  readonly closing: AbortController;
  readonly sockets: readonly Pick<RunnerSockets, 'close' | 'terminate'>[];
  readonly cutUnused: () => void;
}

function closed({ server, closing, sockets, cutUnused }: Closing): Promise<void> {
  closing.abort();
  for (const each of sockets) each.close();
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    const cut = setTimeout(() => {
      server.closeAllConnections();
      for (const each of sockets) each.terminate();
    }, HTTP_LIMITS.closeGraceMs);
    // An answer that was on its way leaves its connection open behind it.
    const leave = setInterval(() => server.closeIdleConnections(), HTTP_LIMITS.closeLookMs);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(leave);
      resolve();
    });
    server.closeIdleConnections();
    cutUnused();
  });
}
