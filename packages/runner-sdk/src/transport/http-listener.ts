import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** Milliseconds after which a connection that does not get on is closed. */
const TIMEOUTS = {
  /** Idle between two requests; longer than the clients and balancers in front wait. */
  keepAliveTimeout: 72_000,
  headersTimeout: 20_000,
  requestTimeout: 60_000,
  connectionsCheckingInterval: 5_000,
} as const;

/** What a listener needs. */
export interface HttpListenerOptions {
  /** Address of this machine. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly onRequest: (request: IncomingMessage, response: ServerResponse) => void;
  /** A connection could not be accepted, such as when no file descriptor is left; the server goes on. */
  readonly onError: (error: Error) => void;
  /** The reply to bytes that are no HTTP request. */
  readonly onMalformed: (error: Error & { readonly code?: string }) => {
    readonly status: string;
    readonly json: string;
  };
}

/** A server that listens. */
export interface HttpListener {
  readonly port: number;
  /** Takes no new connection; lets what is being answered end within `graceMs`. */
  close(graceMs: number): Promise<void>;
}

function answerMalformed(socket: Socket, { status, json }: { status: string; json: string }): void {
  if (!socket.writable || socket.bytesWritten > 0) {
    socket.destroy();
    return;
  }
  socket.end(
    `HTTP/1.1 ${status}\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(json)}\r\nconnection: close\r\n\r\n${json}`,
  );
}

/**
 * Listens.
 * @param options - address, port and what answers
 * @returns the listening server
 * @throws the system's error when the address or port cannot be had
 */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const server = createServer(TIMEOUTS, options.onRequest);
  server.on('clientError', (error: Error & { code?: string }, socket: Socket) => {
    if (error.code === 'ECONNRESET') socket.destroy();
    else answerMalformed(socket, options.onMalformed(error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      server.on('error', options.onError);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: (graceMs) =>
      new Promise((resolve) => {
        const force = setTimeout(() => server.closeAllConnections(), graceMs);
        server.close(() => {
          clearTimeout(force);
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}
