import type { IncomingMessage, Server } from 'node:http';
import type { Socket } from 'node:net';
import { ENDPOINTS } from '@controlplane/contracts';
import type { Doors } from '../doors/door.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { Log } from '../model/log.js';
import type { Authenticate } from './authentication.js';
import { refuseSocket } from './error-reply.js';
import type { DoorSockets } from './door-sockets.js';
import type { HostGuard } from './host-guard.js';
import { dialRefusal, type RunnerSockets } from './runner-sockets.js';

export interface UpgradeParts {
  readonly server: Server;
  readonly guard: HostGuard;
  readonly sockets: RunnerSockets;
  /** Those for foreign runners; undefined where none is open. */
  readonly doors: Doors | undefined;
  readonly doorSockets: DoorSockets;
  readonly authenticate: Authenticate;
  readonly log: Log;
  readonly closing: AbortSignal;
}

const HOP_HEADERS = new Set(['upgrade', 'connection', 'http2-settings']);

/** The head of a request as it came, without its wish for another protocol. */
function headWithoutUpgrade({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (!HOP_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[at + 1] ?? ''}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}

/** A server may decline to change the protocol: then the request is answered as what it is otherwise. */
function decline(
  server: Server,
  request: IncomingMessage,
  { socket, head }: { socket: Socket; head: Buffer },
): void {
  socket.unshift(Buffer.concat([Buffer.from(headWithoutUpgrade(request), 'latin1'), head]));
  server.emit('connection', socket);
}

const pathOf = ({ url }: IncomingMessage): string => url?.split('?')[0] ?? '';

/** Whatever our own runners do not dial is asked of the doors. */
function doorAt({ doors }: UpgradeParts, path: string): ReturnType<Doors['socketAt']> {
  return path === ENDPOINTS.connectRunner.path ? undefined : doors?.socketAt(path);
}

function refusalOf(parts: UpgradeParts, request: IncomingMessage): JobForgeError | undefined {
  const { guard, closing } = parts;
  // A page of somebody else may open sockets without being asked first: its origin counts as for a change.
  const refused = guard({ headers: request.headers, method: 'POST' });
  if (refused !== undefined) return refused;
  if (closing.aborted) return new JobForgeError('SHUTTING_DOWN');
  const path = pathOf(request);
  if (path === ENDPOINTS.connectRunner.path) return dialRefusal(request);
  if (doorAt(parts, path) !== undefined) return undefined;
  return new JobForgeError('ROUTE_NOT_FOUND', { message: `No socket is served at ${path.slice(0, 256)}.` });
}

interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Socket;
  readonly head: Buffer;
}

/** Opens a runner's socket once it is known who dials. */
async function open(parts: UpgradeParts, { request, socket, head }: Upgrade): Promise<void> {
  const { authenticate, sockets, log } = parts;
  // Whoever hangs up meanwhile is not waited for.
  const onError = (): void => void socket.destroy();
  socket.on('error', onError);
  try {
    const caller = await authenticate('connectRunner', request, {});
    if (!socket.destroyed) sockets.open({ request, socket, head, caller });
  } catch (error) {
    if (!isJobForgeError(error)) log('error', 'a socket could not be opened', { error });
    refuseSocket(socket, isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR'));
  } finally {
    socket.off('error', onError);
  }
}

/** Answers requests for another protocol: runners that dial in get their socket, all else is declined. */
export function serveUpgrades(parts: UpgradeParts): void {
  const { server } = parts;
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (request.headers.upgrade?.toLowerCase() !== 'websocket')
      return decline(server, request, { socket, head });
    const refused = refusalOf(parts, request);
    if (refused !== undefined) return refuseSocket(socket, refused);
    const onSocket = doorAt(parts, pathOf(request));
    if (onSocket === undefined) void open(parts, { request, socket, head });
    else parts.doorSockets.open({ request, socket, head, onSocket });
  });
}
