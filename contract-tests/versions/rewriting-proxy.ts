import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { Rewrite, Way } from './message-rewriting.js';

/** Passes on what is asked and answered, each JSON message rewritten. */
export interface RewritingProxy {
  readonly url: string;
  /** Messages that were rewritten into something else. */
  readonly rewritten: number;
  close(): Promise<void>;
}

/** Where a proxy leads, and what it makes of what passes. */
export interface ProxyOptions {
  /** URL of the side that is asked. */
  readonly target: () => string;
  /** Whether the runner is the side that is asked. */
  readonly leadsToRunner: boolean;
  readonly rewrite: Rewrite;
}

const HOP = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) yield `${line}\n`;
  }
  if (rest !== '') yield rest;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const bytes of body) chunks.push(bytes);
  return Buffer.concat(chunks).toString();
}

/** What the kit sends as no JSON stays none. */
function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type PassOn = (text: string, way: Way, path: string) => string;

/** Both ways of one proxy, and whose words pass by each. */
interface Passage extends ProxyOptions {
  readonly passOn: PassOn;
  readonly asked: Way;
  readonly answered: Way;
}

const isLines = (type: string | null | undefined): boolean => type?.includes('ndjson') === true;

async function ask(passage: Passage, request: IncomingMessage, gone: AbortSignal): Promise<Response> {
  const { passOn, asked, target } = passage;
  const { method = 'GET', url } = request;
  const { pathname: path } = new URL(String(url), 'http://proxy');
  let body = '';
  if (isLines(request.headers['content-type'])) {
    for await (const line of linesOf(request)) body += passOn(line, asked, path);
  } else {
    body = passOn(await textOf(request), asked, path);
  }
  const headers = Object.entries(request.headers).filter(([name]) => !HOP.has(name)) as Array<
    [string, string]
  >;
  return fetch(target() + String(url), {
    method,
    headers,
    signal: gone,
    ...(method === 'GET' ? {} : { body }),
  });
}

async function answer(passage: Passage, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { passOn, answered } = passage;
  const { pathname: path } = new URL(String(request.url), 'http://proxy');
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const reply = await ask(passage, request, gone.signal);
  const type = reply.headers.get('content-type') ?? '';
  response.writeHead(reply.status, { 'content-type': type });
  response.flushHeaders();
  const body = (reply.body ?? []) as AsyncIterable<Uint8Array>;
  if (isLines(type)) {
    for await (const line of linesOf(body)) response.write(passOn(line, answered, path));
  } else {
    const text = await textOf(body);
    response.write(type.includes('json') ? passOn(text, answered, path) : text);
  }
  response.end();
}

function carry({ passOn, target }: Passage, near: WebSocket, request: IncomingMessage): void {
  const { authorization } = request.headers;
  const path = String(request.url);
  const headers = authorization === undefined ? {} : { authorization };
  const far = new WebSocket(target().replace('http', 'ws') + path, near.protocol, { headers });
  const opened = once(far, 'open');
  near.on('message', (data: Buffer) => {
    void opened.then(() => far.send(passOn(data.toString(), 'from runner', path)));
  });
  far.on('message', (data: Buffer) => near.send(passOn(data.toString(), 'to runner', path)));
  near.on('close', () => far.close()).on('error', () => far.terminate());
  far.on('close', () => near.close()).on('error', () => near.terminate());
}

/** Starts a proxy on a port of its own. */
export async function startRewritingProxy(options: ProxyOptions): Promise<RewritingProxy> {
  const { leadsToRunner, rewrite } = options;
  let rewritten = 0;
  const passage: Passage = {
    ...options,
    asked: leadsToRunner ? 'to runner' : 'from runner',
    answered: leadsToRunner ? 'from runner' : 'to runner',
    passOn(text, way, path) {
      const message = readJson(text);
      if (message === undefined) return text;
      const after = JSON.stringify(rewrite(message, { way, path }));
      if (after !== text.trim()) rewritten++;
      return text.endsWith('\n') ? `${after}\n` : after;
    },
  };
  const server = createServer((request, response) => {
    // Whoever is not there any more cannot be answered; the other side notices by itself.
    answer(passage, request, response).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (near, request) => carry(passage, near, request));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get rewritten() {
      return rewritten;
    },
    async close() {
      for (const socket of sockets.clients) socket.terminate();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
