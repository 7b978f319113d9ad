import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { ErrorEnvelope } from '@controlplane/contracts';
import { z } from 'zod';
import { createInMemoryOperations, type InMemoryOperations } from './operations-in-memory.fixture.js';
import { createApiServer, type ApiServer, type ApiServerOptions } from './server.js';

export interface RunningApi {
  readonly url: string;
  readonly port: number;
  readonly operations: InMemoryOperations;
  readonly server: ApiServer;
}

const running = new Set<ApiServer>();

/** Closes what {@link serveApi} has opened; after each test. */
export async function closeApis(): Promise<void> {
  await Promise.all([...running].map((server) => server.close()));
  running.clear();
}

/** Serves in-memory operations on a free port until {@link closeApis}. */
export async function serveApi(
  options: Partial<ApiServerOptions> & { operations?: InMemoryOperations } = {},
): Promise<RunningApi> {
  const operations = options.operations ?? createInMemoryOperations();
  const server = createApiServer({ host: '127.0.0.1', port: 0, ...options, operations });
  const { url, port } = await server.listen();
  running.add(server);
  return { url, port, operations, server };
}

/** What every refusal must look like. */
export const Refusal = z.object({ success: z.literal(false), error: ErrorEnvelope });

/** A submission that is accepted. */
export const submission = (extra: Record<string, unknown> = {}): Record<string, unknown> => ({
  type: 'hello.greet',
  payload: { type: 'hello.greet', data: { name: 'Ada' } },
  ...extra,
});

export const json = (value: unknown, method = 'POST'): RequestInit => ({
  method,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

export interface RawReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A request whose target and headers fetch would not let pass. */
export function rawRequest(
  port: number,
  options: { method?: string; path: string; headers?: Record<string, string>; body?: string },
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const { body, headers = {}, ...head } = options;
    const framed = body === undefined || 'transfer-encoding' in headers;
    const framing = framed ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const all = { host: '127.0.0.1', port, agent: false, ...head, headers: { ...framing, ...headers } };
    const request = httpRequest(all, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
        }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are and returns all that comes back. */
export function rawBytes(port: number, bytes: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
