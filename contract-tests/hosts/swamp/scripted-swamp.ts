import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { SwampEnroll, SwampFrame, SwampResult } from '@controlplane/contracts/swamp';
import { WebSocketServer, type WebSocket } from 'ws';
import { createArrivals } from '../arrivals.js';

/** An enrollment token as this control plane keeps it. */
interface Token {
  readonly secret: string;
  state: 'good' | 'revoked' | 'expired';
  machineId: string | undefined;
}

/** A dispatch and what came of it. */
export interface ScriptedDispatch {
  readonly id: string;
  readonly lines: string[];
  result: SwampResult | undefined;
  error: { readonly code: string; readonly message: string } | undefined;
}

type Written = { readonly path: string; readonly authorization: string | undefined; readonly body: string };

const createPlane = () => ({
  tokens: new Map<string, Token>([['fleet', { secret: 's3cret', state: 'good', machineId: undefined }]]),
  /** Every frame that a runner sent. */
  frames: createArrivals<SwampFrame>(),
  strange: [] as string[],
  enrollments: createArrivals<SwampEnroll>(),
  ends: createArrivals<ScriptedDispatch>(),
  writes: [] as Written[],
  /** Writes that are not answered, and those of them that were given up. */
  held: createArrivals<string>(),
  givenUp: createArrivals<string>(),
  upgrades: 0,
  dispatches: new Map<string, ScriptedDispatch>(),
  socket: undefined as WebSocket | undefined,
  credentials: new Set<string>(),
  behaviour: {
    protocolVersion: 4,
    /** Milliseconds for which a session is good. */
    sessionMs: 900_000,
    /** An earlier process of the same machine holds the token. */
    isConnected: false,
    /** What the upgrade asks for. */
    serverToken: undefined as string | undefined,
    /** What writes are answered with. */
    writes: 'taken' as 'taken' | 'refused' | 'held',
    /** What an enrollment is answered with. */
    enroll: 'look' as 'look' | 'cut',
  },
});
type Plane = ReturnType<typeof createPlane>;

const failed = (code: string, message: string): { readonly code: string; readonly message: string } => ({
  code,
  message,
});

/** In swamp's order: schema, protocol, shape of the token, the token itself, whether it is in use. */
function redeem(
  plane: Plane,
  params: unknown,
): SwampEnroll | { readonly code: string; readonly message: string } {
  const { tokens, behaviour } = plane;
  const asked = SwampEnroll.safeParse(params);
  if (!asked.success) return failed('handler_failed', asked.error.message);
  const { protocolVersion, token, machineId } = asked.data;
  if (protocolVersion !== behaviour.protocolVersion)
    return failed(
      'protocol_mismatch',
      `Worker protocol version ${protocolVersion} does not match orchestrator version ${behaviour.protocolVersion}`,
    );
  const [name = '', secret] = token.split('.');
  if (secret === undefined) return failed('invalid_token', 'Invalid enrollment token');
  const known = tokens.get(name);
  if (!known) return failed('handler_failed', `Enrollment token '${name}' does not exist — mint it first`);
  if (known.state === 'revoked')
    return failed('handler_failed', `Enrollment token '${name}' has been revoked`);
  if (known.state === 'expired') return failed('handler_failed', `Enrollment token '${name}' has expired`);
  if (known.secret !== secret) return failed('handler_failed', `Enrollment token '${name}' does not match`);
  if (known.machineId !== undefined && known.machineId !== machineId)
    return failed('handler_failed', `Enrollment token '${name}': enrollment allowance exhausted`);
  if (behaviour.isConnected) return failed('already_connected', `Worker '${name}' is already connected`);
  known.machineId = machineId;
  return asked.data;
}

function session(plane: Plane): { sessionCredential: string; sessionExpiresAtMs: number } {
  const sessionCredential = randomUUID();
  plane.credentials.add(sessionCredential);
  return { sessionCredential, sessionExpiresAtMs: Date.now() + plane.behaviour.sessionMs };
}

function answer(plane: Plane, socket: WebSocket, frame: Extract<SwampFrame, { type: 'rpc.request' }>): void {
  const { id, method, params } = frame;
  const send = (reply: SwampFrame): void => socket.send(JSON.stringify(reply));
  if (method === 'worker.enroll') {
    if (plane.behaviour.enroll === 'cut') return socket.terminate();
    const redeemed = redeem(plane, params);
    if ('code' in redeemed) return send({ type: 'rpc.error', id, error: redeemed });
    plane.socket = socket;
    const { protocolVersion } = plane.behaviour;
    send({ type: 'rpc.response', id, result: { workerId: 'fleet', protocolVersion, ...session(plane) } });
    return plane.enrollments.push(redeemed);
  }
  if (plane.socket !== socket)
    return send({ type: 'rpc.error', id, error: failed('handler_failed', 'not enrolled') });
  if (method === 'worker.session.refresh') return send({ type: 'rpc.response', id, result: session(plane) });
  if (method === 'worker.drain') return send({ type: 'rpc.response', id, result: {} });
  send({ type: 'rpc.error', id, error: failed('unknown_method', method) });
}

function take(plane: Plane, socket: WebSocket, frame: SwampFrame): void {
  plane.frames.push(frame);
  if (frame.type === 'rpc.request') return answer(plane, socket, frame);
  const dispatch = plane.dispatches.get(frame.id);
  if (!dispatch || plane.socket !== socket) return;
  if (frame.type === 'rpc.stream') {
    const { line, stream } = frame.event['event'] as { readonly line: string; readonly stream: string };
    dispatch.lines.push(`${stream}: ${line}`);
  }
  if (frame.type === 'rpc.response') dispatch.result = SwampResult.parse(frame.result);
  if (frame.type === 'rpc.error') dispatch.error = frame.error;
  if (frame.type === 'rpc.response' || frame.type === 'rpc.error') plane.ends.push(dispatch);
}

function serve(plane: Plane, socket: WebSocket): void {
  socket.on('error', () => undefined);
  socket.on('message', (data: Buffer) => {
    const frame = SwampFrame.safeParse(JSON.parse(data.toString('utf8')));
    if (frame.success) take(plane, socket, frame.data);
    else plane.strange.push(data.toString('utf8'));
  });
  // Whatever runs over a connection is lost with it: nobody waits for its answer any more.
  socket.on('close', () => {
    if (plane.socket === socket) plane.socket = undefined;
  });
}

/** The data plane: every write needs the credential of its dispatch, or of the session. */
async function write(plane: Plane, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { authorization } = request.headers;
  const body = await text(request);
  const path = request.url ?? '';
  const reply = (status: number, value: object): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (!plane.credentials.has(authorization?.replace('Bearer ', '') ?? ''))
    return reply(401, { error: 'Missing or invalid session credential' });
  if (plane.behaviour.writes === 'held') {
    response.on('close', () => plane.givenUp.push(path));
    return plane.held.push(path);
  }
  if (plane.behaviour.writes === 'refused') return reply(500, { error: 'Internal server error' });
  plane.writes.push({ path, authorization, body });
  if (path === '/data/writers') return reply(200, { writerId: 'w-1', dataId: 'd-log' });
  const isFile = path.startsWith('/data/writers/');
  const name = isFile ? 'log' : 'result';
  reply(200, { dataId: `d-${name}`, name, specName: name, kind: isFile ? 'file' : 'resource', version: 1 });
}

async function listen(plane: Plane): Promise<{ readonly server: Server; readonly sockets: WebSocketServer }> {
  const server = createServer((request, response) => void write(plane, request, response));
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, stream, head) => {
    const { serverToken } = plane.behaviour;
    plane.upgrades += 1;
    if (serverToken !== undefined && request.headers.authorization !== `Bearer ${serverToken}`)
      return stream.end(
        'HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 12\r\n\r\nUnauthorized',
      );
    sockets.handleUpgrade(request, stream, head, (socket) => serve(plane, socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, sockets };
}

/** What a dispatch says beside its command. */
interface DispatchOptions {
  readonly id?: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly more?: Readonly<Record<string, unknown>>;
  readonly execution?: Readonly<Record<string, unknown>>;
}

/** The parameters of a dispatch of a command. */
export function dispatchParams(run: string, options: DispatchOptions = {}): Record<string, unknown> {
  const { id = randomUUID(), args = {}, more = {}, execution = {} } = options;
  return {
    dispatchId: id,
    leaseId: `lease-${id}`,
    execution: {
      protocolVersion: 4,
      modelType: 'command/shell',
      modelId: 'm-1',
      methodName: 'execute',
      globalArgs: {},
      methodArgs: { run, ...args },
      definitionMeta: { id: 'm-1', name: 'sh', version: 1, tags: {} },
      ...execution,
    },
    bundleFingerprint: 'builtin:command/shell',
    reportBundleFingerprints: [],
    environmentSnapshot: {},
    ...more,
  };
}

/** Starts the double. */
export async function startScriptedSwamp() {
  const plane = createPlane();
  const { server, sockets } = await listen(plane);
  const send = (frame: SwampFrame): void => plane.socket?.send(JSON.stringify(frame));
  return {
    plane,
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    frames: plane.frames,
    enrollments: plane.enrollments,
    behaviour: plane.behaviour,
    send,
    /** Gives a command to the runner that is enrolled. */
    dispatch(run: string, options: DispatchOptions = {}): ScriptedDispatch {
      const dispatch: ScriptedDispatch = { id: randomUUID(), lines: [], result: undefined, error: undefined };
      plane.dispatches.set(dispatch.id, dispatch);
      const params = dispatchParams(run, options);
      send({ type: 'rpc.request', id: dispatch.id, method: 'worker.dispatch', params });
      return dispatch;
    },
    cancel: ({ id }: ScriptedDispatch) => send({ type: 'rpc.cancel', id }),
    /** Resolves when it was answered. */
    ended: (dispatch: ScriptedDispatch) => plane.ends.first(({ id }) => id === dispatch.id),
    line: (dispatch: ScriptedDispatch) =>
      plane.frames.first(({ type, id }) => type === 'rpc.stream' && id === dispatch.id),
    asked: (method: string) =>
      plane.frames.first((frame) => frame.type === 'rpc.request' && frame.method === method),
    /** Cuts the connection without a word. */
    drop: () => plane.socket?.terminate(),
    async close(): Promise<void> {
      for (const client of sockets.clients) client.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type ScriptedSwamp = Awaited<ReturnType<typeof startScriptedSwamp>>;
