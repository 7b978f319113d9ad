/**
 * A proxy in front of a control plane that keeps all of the contract but what it is told to break:
 *
 *     node proxy.mjs --target http://127.0.0.1:3002 --break control-plane.fences-superseded
 *
 * It proves that each case about control planes can fail. Says where it listens on its first line.
 */
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { WebSocket, WebSocketServer } from 'ws';
import { keepsBack, rewriteSaid, saysAfter } from './frames.mjs';
import { rewriteReply, rewriteRequest, swallows } from './replies.mjs';

const HOP = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive']);

async function textOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

async function pass(request, response, context) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  const [path] = request.url.split('?');
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !HOP.has(name)));
  const given = { method: request.method, path, url: request.url, headers, text: await textOf(request) };
  if (swallows(given, context)) {
    response.writeHead(202, { 'content-type': 'application/json' });
    return response.end('{"id":"swallowed"}');
  }
  const asked = rewriteRequest(given, context);
  const reply = await fetch(context.target + asked.url, {
    method: asked.method,
    headers: asked.headers,
    signal: gone.signal,
    ...(asked.method === 'GET' ? {} : { body: asked.text }),
  });
  const type = reply.headers.get('content-type') ?? 'application/json';
  const {
    status,
    text,
    type: sent,
  } = rewriteReply({ status: reply.status, text: await reply.text(), type }, asked, context);
  response.writeHead(status, { 'content-type': sent });
  return response.end(text);
}

function carry(near, request, shared) {
  const { target, broken } = shared;
  const { authorization } = request.headers;
  const far = new WebSocket(`${target.replace('http', 'ws')}${request.url}`, ['controlplane.v1'], {
    headers: authorization ? { authorization } : {},
  });
  const opened = new Promise((resolve) => far.on('open', resolve));
  const context = { broken, seen: { offers: 0 }, all: shared.seen };
  near.on('message', (data) => {
    const said = rewriteSaid(JSON.parse(Buffer.from(data).toString('utf8')), context);
    void opened.then(() => far.send(JSON.stringify(said)));
  });
  far.on('message', (data) => {
    const text = Buffer.from(data).toString('utf8');
    if (!keepsBack(JSON.parse(text), context)) near.send(text);
    const lie = saysAfter(text, shared);
    if (lie) near.send(lie);
  });
  near.on('close', () => far.terminate()).on('error', () => far.terminate());
  far.on('close', () => near.close()).on('error', () => near.terminate());
}

/** Starts a proxy on a port of its own. */
export async function startBreakingProxy({ target, breaks, token, offersAgain = false }) {
  const broken = (id) => breaks === id;
  const context = {
    ...{ target, broken, token, offersAgain },
    seen: { events: 0, lateEvents: 0, offers: 0, claims: 0 },
  };
  const server = createServer((request, response) => {
    // Whoever is not there any more cannot be answered.
    pass(request, response, context).catch(() => response.destroy());
  });
  const sockets = new WebSocketServer({
    server,
    handleProtocols: () => (broken('control-plane.speaks-subprotocol') ? false : 'controlplane.v1'),
  });
  sockets.on('connection', (near, request) => carry(near, request, context));
  await new Promise((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets.clients) socket.terminate();
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { target: { type: 'string' }, break: { type: 'string' }, token: { type: 'string' } },
  });
  const { url } = await startBreakingProxy({
    target: values.target,
    breaks: values.break,
    token: values.token,
  });
  console.log(url);
}
