/**
 * @module
 * testing/ holds what the tests of this package share. Nothing outside tests imports it.
 */
import { RunnerRegistrationRequest, type RunnerExecutionRequest } from '@controlplane/contracts';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a test's runner does with one execution. */
export interface StubExecution {
  readonly request: RunnerExecutionRequest & { executionId: string; attempt: number; leaseToken: string };
  /** Streams one event; in the JSON form only the terminal one is sent. */
  send(event: { type: string } & Record<string, unknown>): void;
  accept(): void;
  succeed(data?: unknown): void;
  fail(code: string, error?: Record<string, unknown>): void;
  /** Breaks the connection. */
  drop(): void;
  /** Sends a line as it is. */
  raw(line: string): void;
}

export interface StubRunner {
  readonly url: string;
  /** Every request that arrived, in order. */
  readonly executions: StubExecution[];
  readonly cancelled: string[];
  /** Requests of `POST /execute`. */
  posts: number;
  /** Answers the health endpoint; undefined closes the connection. */
  health: { status: number; body: string } | undefined;
  /** Resolves with the n-th execution (from 0). */
  execution(index: number): Promise<StubExecution>;
  registration(overrides?: Record<string, unknown>): RunnerRegistrationRequest;
  close(): Promise<void>;
}

export interface StubOptions {
  readonly form: 'json' | 'ndjson' | 'batch';
  readonly handle: (execution: StubExecution) => void;
  readonly features?: readonly string[];
}

const FEATURES = { json: [], ndjson: ['ndjson', 'cancel'], batch: ['ndjson', 'batch', 'cancel'] } as const;

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

export const ECHO = {
  id: 'echo',
  name: 'Echo',
  version: '1.0.0',
  description: 'Says it back.',
  inputSchema: { type: 'object', properties: { text: { type: 'string' } } },
  outputSchema: {},
  supportedJobTypes: ['echo.job'],
  maxConcurrency: 100,
} as const;

/** An execution's answer, written the way of the form. */
function openExecution(
  line: string,
  response: ServerResponse,
  { json, left }: { json: boolean; left: { count: number } },
): StubExecution {
  const request = JSON.parse(line) as StubExecution['request'];
  let seq = 0;
  const finish = (): void => {
    left.count -= 1;
    if (left.count === 0) response.end();
  };
  const send: StubExecution['send'] = (event) => {
    const full = { executionId: request.executionId, seq, at: new Date().toISOString(), ...event };
    seq += 1;
    if (!json) response.write(`${JSON.stringify(full)}\n`);
  };
  return {
    request,
    send,
    raw: (text) => void response.write(`${text}\n`),
    accept: () => send({ type: 'accepted' }),
    succeed(data = { echoed: request.payload }) {
      if (json)
        return void response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ success: true, data }));
      send({ type: 'succeeded', data, executionTimeMs: 1 });
      finish();
    },
    fail(code, error = {}) {
      const envelope = {
        ...{
          id: 'e1',
          timestamp: new Date().toISOString(),
          category: 'RUNTIME_ERROR',
          severity: 'error',
          code,
        },
        ...{
          message: code,
          service: 'stub',
          contractVersion: { major: 1, minor: 0, patch: 0 },
          retryable: false,
          ...error,
        },
      };
      if (json)
        return void response
          .writeHead(500, { 'content-type': 'application/json' })
          .end(JSON.stringify({ success: false, error: envelope }));
      send({ type: 'failed', error: envelope, executionTimeMs: 1 });
      finish();
    },
    drop: () => void response.socket?.destroy(),
  };
}

/** A runner on a real socket whose every answer the test decides. */
export async function startStubRunner(options: StubOptions): Promise<StubRunner> {
  const { form } = options;
  const waiting = new Map<number, (execution: StubExecution) => void>();
  const onExecute = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const lines = (await textOf(request)).split('\n').filter((line) => line !== '');
    const json = form === 'json';
    if (!json) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
    runner.posts += 1;
    const left = { count: lines.length };
    for (const line of lines) {
      const execution = openExecution(line, response, { json, left });
      const index = runner.executions.push(execution) - 1;
      options.handle(execution);
      waiting.get(index)?.(execution);
    }
  };
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    const cancel = /^\/executions\/([^/]+)\/cancel$/.exec(url)?.[1];
    if (url.endsWith('/execute')) void onExecute(request, response);
    else if (cancel !== undefined) {
      runner.cancelled.push(cancel);
      response.writeHead(202).end('{}');
    } else if (runner.health === undefined) request.socket.destroy();
    else response.writeHead(runner.health.status).end(runner.health.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const runner: StubRunner = {
    url,
    executions: [],
    cancelled: [],
    posts: 0,
    health: { status: 200, body: '{"status":"healthy"}' },
    execution: (index) =>
      new Promise((resolve) => {
        const there = runner.executions[index];
        if (there === undefined) waiting.set(index, resolve);
        else resolve(there);
      }),
    registration: (overrides = {}) =>
      RunnerRegistrationRequest.parse({
        ...{ name: 'stub', version: '1.0.0', contractVersion: '1.0.0', capabilities: [ECHO] },
        ...{
          healthCheckEndpoint: `${url}/health`,
          features: [...(options.features ?? FEATURES[form])],
          instanceId: 'i1',
          ...overrides,
        },
      }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
  return runner;
}
