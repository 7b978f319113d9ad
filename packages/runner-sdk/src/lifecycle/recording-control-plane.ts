import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { envelopeOf, httpStatusOf, type ErrorCode } from '@controlplane/contracts';

/** One request that a runner made. */
export interface Recorded {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** What the control plane answers to one request. */
export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The replies of a control plane that is content. */
export const CONTENT = {
  register: (intervalMs = 10_000): Reply => ({
    status: 200,
    body: { runnerId: 'runner-1', registeredAt: '2026-01-01T00:00:00.000Z', heartbeatIntervalMs: intervalMs },
  }),
  heartbeat: (): Reply => ({ status: 200, body: { known: true, receiving: true, directives: [] } }),
  deregister: (): Reply => ({ status: 200, body: { runnerId: 'runner-1', deregistered: true } }),
} as const;

/** A refusal as JobForge words it. */
export function refusal(code: ErrorCode, retryAfter?: number): Reply {
  const more = retryAfter === undefined ? {} : { retryAfter };
  return {
    status: httpStatusOf(code),
    body: { success: false, error: envelopeOf(code, { service: 'control-plane', ...more }) },
  };
}

type Answer = (request: Recorded) => Reply;

function routeOf(path: string): 'register' | 'heartbeat' | 'deregister' {
  if (path === '/runners/register') return 'register';
  return path === '/runners/heartbeat' ? 'heartbeat' : 'deregister';
}

async function readJson(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
}

/** Starts a small control plane that records what a runner asks of it and answers as told, for tests. */
export async function startRecordingControlPlane() {
  const answers: { register: Answer; heartbeat: Answer; deregister: Answer } = {
    register: () => CONTENT.register(),
    heartbeat: CONTENT.heartbeat,
    deregister: CONTENT.deregister,
  };
  const recorded: Recorded[] = [];
  const waiting: Array<{ readonly path: RegExp; readonly resolve: (found: Recorded) => void }> = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found: Recorded = { path: request.url ?? '', body: await readJson(request) };
    recorded.push(found);
    const { status, body, headers = {} } = answers[routeOf(found.path)](found);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
    for (const waiter of waiting.filter(({ path }) => path.test(found.path))) {
      waiting.splice(waiting.indexOf(waiter), 1);
      waiter.resolve(found);
    }
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** Replace one to change what is answered from now on. */
    answers,
    recorded,
    /** The next request to a path like this. */
    next: (path: RegExp): Promise<Recorded> => new Promise((resolve) => waiting.push({ path, resolve })),
    count: (path: RegExp): number => recorded.filter((request) => path.test(request.path)).length,
    close: (): Promise<void> =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
