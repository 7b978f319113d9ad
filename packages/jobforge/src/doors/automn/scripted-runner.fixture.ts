import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { AutomnRun, type AutomnResult } from '@controlplane/contracts/automn';

/** A job as a runner of Automn was posted it. */
export interface PostedJob {
  readonly run: AutomnRun;
  readonly headers: IncomingMessage['headers'];
  /** Writes one line of the answer. */
  line(value: object | string): void;
  result(data?: Partial<AutomnResult>): void;
  refuse(status: number, error: string): void;
  drop(): void;
  /** Resolves when the other side has hung up. */
  readonly closed: Promise<unknown>;
}

/** A runner of Automn as far as a test plays it. */
export interface ScriptedAutomnRunner {
  readonly endpoint: string;
  /** Jobs that it was posted. */
  posted(): number;
  /** The next job that it is posted. */
  next(): Promise<PostedJob>;
  close(): Promise<void>;
}

async function jobOf(request: IncomingMessage, response: ServerResponse): Promise<PostedJob> {
  const run = AutomnRun.parse(await json(request));
  const begin = (): void => {
    if (!response.headersSent)
      response.writeHead(200, { 'content-type': 'application/jsonl; charset=utf-8' });
  };
  const line = (value: object | string): void => {
    begin();
    response.write(`${typeof value === 'string' ? value : JSON.stringify(value)}\n`);
  };
  return {
    ...{ run, headers: request.headers, line, closed: once(response, 'close') },
    result(data = {}) {
      const ended: AutomnResult = {
        ...{ runId: run.runId ?? '', stdout: '', stderr: '', code: 0, duration: 12, returnData: null },
        ...{ automnLogs: [], automnNotifications: [], input: run.reqBody },
        ...data,
      };
      line({ type: 'result', data: ended });
      response.end();
    },
    refuse(status, error) {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error }));
    },
    drop: () => void response.destroy(),
  };
}

export async function startScriptedRunner(): Promise<ScriptedAutomnRunner> {
  const jobs: PostedJob[] = [];
  let count = 0;
  let wake = (): void => undefined;
  const server = createServer((request, response) => {
    void jobOf(request, response).then((job) => {
      jobs.push(job);
      count += 1;
      wake();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/run`,
    posted: () => count,
    async next() {
      for (;;) {
        const job = jobs.shift();
        if (job !== undefined) return job;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
