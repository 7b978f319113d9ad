import type { IncomingMessage } from 'node:http';
import type { WebSocket as Socket } from 'ws';
import { backoffMs, type BackoffBounds } from '../util/backoff.js';
import { sleep, type Clock, type TimerHandle } from '../util/clock.js';

/** How a connection ended, or why there was none. */
export interface SocketEnd {
  /** Close code; 1006 where there was none. */
  readonly code: number;
  /** What was said with it, or what went wrong. */
  readonly reason: string;
  /** Whether the upgrade had succeeded. */
  readonly opened: boolean;
  /** The answer to an upgrade that was refused. */
  readonly refusal:
    | { readonly status: number; readonly body: string; readonly retryAfter: string | undefined }
    | undefined;
}

/** What a socket needs; times in milliseconds. */
export interface ReconnectingSocketOptions {
  readonly url: string;
  /** Subprotocol that is asked for. Default: none. */
  readonly protocol?: string | undefined;
  /** Asked before each connection. A rejection counts as a connection that failed. */
  headers(): Promise<Record<string, string>>;
  readonly maxPayloadBytes: number;
  readonly handshakeMs: number;
  /** Between two pings, and how long each may take to be answered. */
  readonly pingMs: number;
  readonly backoff: BackoffBounds;
  /** An accepted connection that lasted this long takes the delays back to the shortest. */
  readonly stableMs: number;
  /** Failures before this socket was made, from which its delays go on. Default: 0. */
  readonly firstAttempt?: number | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  onOpen(): void;
  onMessage(text: string): void;
  /** What was sent has left: more may follow. */
  onDrain(): void;
  /** @returns `stop` for no more connections, or the least milliseconds before the next */
  onEnd(end: SocketEnd): 'stop' | number;
}

/** A WebSocket that is made anew, for ever, until it is stopped. */
export interface ReconnectingSocket {
  start(): void;
  /**
   * Sends one message; without a connection nothing happens.
   * @returns false when no more should follow before `onDrain`
   */
  send(text: string): boolean;
  /**
   * Resolves once the peer has read everything that was sent before, which its answer to a ping proves; false when the
   * connection ended first, or there is none.
   */
  confirm(): Promise<boolean>;
  /** The connection is good: its time until it counts as stable begins. */
  accept(): void;
  /** Ends this connection; another follows, after at least so many milliseconds. */
  close(code: number, options?: { readonly reason?: string; readonly afterMs?: number }): void;
  /** Ends this connection and makes no other. Resolves when it is closed, after a second at most. */
  stop(code: number, reason: string): Promise<void>;
}

/** Bytes that may wait in a socket before its sender pauses. */
const HIGH_WATER_BYTES = 1024 * 1024;
const MAX_REFUSAL_BYTES = 64 * 1024;
const CLOSE_MS = 1_000;
/** RFC 6455: no close frame was received. */
const ABNORMAL = 1006;
const SILENT = 4002;

interface State {
  readonly options: ReconnectingSocketOptions;
  socket: Socket | undefined;
  acceptedMs: number | undefined;
  /** The peer has not answered the last ping. */
  isAwaited: boolean;
  isSilent: boolean;
  /** Who waits for the answer to a ping, by the number that it carries: every ping has one. */
  readonly confirming: Map<number, (isRead: boolean) => void>;
  pings: number;
  afterMs: number;
  readonly stopping: AbortController;
  running: Promise<void> | undefined;
}

async function readRefusal(response: IncomingMessage): Promise<NonNullable<SocketEnd['refusal']>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > MAX_REFUSAL_BYTES) break;
      chunks.push(chunk as Buffer);
    }
  } catch {
    // What came before it broke off is all that can be told.
  }
  response.destroy();
  return {
    status: response.statusCode ?? 0,
    body: Buffer.concat(chunks).toString('utf8'),
    retryAfter: response.headers['retry-after'],
  };
}

function watch(state: State, socket: Socket): () => void {
  const { clock, pingMs } = state.options;
  let timer: TimerHandle;
  const tick = (): void => {
    if (state.isAwaited) {
      state.isSilent = true;
      return socket.terminate();
    }
    state.isAwaited = true;
    socket.ping(String(++state.pings));
    timer = clock.setTimeout(tick, pingMs);
  };
  timer = clock.setTimeout(tick, pingMs);
  return () => clock.clearTimeout(timer);
}

function confirm(state: State): Promise<boolean> {
  const { socket, confirming } = state;
  if (!socket || socket.readyState !== socket.OPEN) return Promise.resolve(false);
  const ping = ++state.pings;
  return new Promise((resolve) => {
    confirming.set(ping, resolve);
    socket.ping(String(ping));
  });
}

/** Of several pings a peer may answer the latest alone (RFC 6455, 5.5.3): that answer is one to those before, too. */
function settleConfirm({ confirming }: State, answered: string): void {
  for (const [ping, settle] of confirming) {
    if (!(ping <= Number(answered))) continue;
    confirming.delete(ping);
    settle(true);
  }
}

/** One connection from its start to its end. */
async function connectOnce(state: State): Promise<SocketEnd> {
  const { options } = state;
  const { WebSocket } = await import('ws');
  const headers = await options.headers();
  if (state.stopping.signal.aborted)
    return { code: ABNORMAL, reason: 'stopped', opened: false, refusal: undefined };
  const socket = new WebSocket(options.url, options.protocol === undefined ? [] : [options.protocol], {
    headers,
    perMessageDeflate: false,
    maxPayload: options.maxPayloadBytes,
    handshakeTimeout: options.handshakeMs,
  });
  state.socket = socket;
  state.acceptedMs = undefined;
  state.isAwaited = false;
  state.isSilent = false;
  return new Promise((resolve) => {
    let opened = false;
    let problem = '';
    let unwatch = (): void => undefined;
    const end = (code: number, reason: string, refusal?: SocketEnd['refusal']): void => {
      unwatch();
      if (state.socket === socket) state.socket = undefined;
      for (const settle of state.confirming.values()) settle(false);
      state.confirming.clear();
      resolve({ code: state.isSilent ? SILENT : code, reason: reason || problem, opened, refusal });
    };
    socket.on('open', () => {
      opened = true;
      unwatch = watch(state, socket);
      options.onOpen();
    });
    socket.on('message', (data: Buffer) => {
      state.isAwaited = false;
      if (state.socket === socket) options.onMessage(data.toString('utf8'));
    });
    socket.on('ping', () => {
      state.isAwaited = false;
    });
    socket.on('pong', (data: Buffer) => {
      state.isAwaited = false;
      settleConfirm(state, data.toString('utf8'));
    });
    socket.on('unexpected-response', (request, response) => {
      void readRefusal(response).then((refusal) => {
        request.destroy();
        end(ABNORMAL, `the upgrade was answered ${refusal.status}`, refusal);
      });
    });
    socket.on('error', (error) => {
      problem = error.message || String(Reflect.get(error, 'code'));
    });
    socket.on('close', (code, reason) => end(code, reason.toString('utf8')));
  });
}

function nextDelayMs(state: State, attempt: number, leastMs: number): number {
  const { backoff, random } = state.options;
  return Math.max(backoffMs(attempt, backoff, random()), leastMs, state.afterMs);
}

async function keepConnected(state: State): Promise<void> {
  const { clock, stableMs, onEnd, firstAttempt = 0 } = state.options;
  const { signal } = state.stopping;
  for (let attempt = firstAttempt; !signal.aborted; attempt++) {
    const end = await connectOnce(state).catch((error: unknown) => ({
      code: ABNORMAL,
      reason: error instanceof Error ? error.message : String(error),
      opened: false,
      refusal: undefined,
    }));
    const { acceptedMs } = state;
    if (acceptedMs !== undefined && clock.elapsed() - acceptedMs >= stableMs) attempt = 0;
    state.acceptedMs = undefined;
    const next = onEnd(end);
    if (next === 'stop' || signal.aborted) return;
    await sleep(clock, nextDelayMs(state, attempt, next), signal);
    state.afterMs = 0;
  }
}

/** Resolves when the promise does, or after a second: a peer that says nothing must not be waited for. */
function atMost(promise: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, CLOSE_MS);
    void promise.finally(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Makes a socket; nothing is dialled, and the library that dials not loaded, before it is started. */
export function createReconnectingSocket(options: ReconnectingSocketOptions): ReconnectingSocket {
  const state: State = {
    options,
    socket: undefined,
    acceptedMs: undefined,
    isAwaited: false,
    isSilent: false,
    confirming: new Map(),
    pings: 0,
    afterMs: 0,
    stopping: new AbortController(),
    running: undefined,
  };
  return {
    start() {
      state.running ??= keepConnected(state);
    },
    send(text) {
      const { socket } = state;
      if (!socket || socket.readyState !== socket.OPEN) return false;
      const isFull = socket.bufferedAmount + text.length > HIGH_WATER_BYTES;
      if (!isFull) socket.send(text);
      else
        socket.send(text, () => {
          if (state.socket === socket) options.onDrain();
        });
      return !isFull;
    },
    confirm: () => confirm(state),
    accept() {
      state.acceptedMs = options.clock.elapsed();
    },
    close(code, { reason = '', afterMs = 0 } = {}) {
      state.afterMs = Math.max(state.afterMs, afterMs);
      closeSoon(state.socket, code, reason);
    },
    async stop(code, reason) {
      state.stopping.abort();
      closeSoon(state.socket, code, reason);
      if (state.running) await atMost(state.running);
      state.socket?.terminate();
    },
  };
}

function closeSoon(socket: Socket | undefined, code: number, reason: string): void {
  if (!socket) return;
  if (socket.readyState === socket.CONNECTING) return socket.terminate();
  socket.close(code, reason);
  // A peer that does not answer the close would hold the connection for thirty seconds.
  const timer = setTimeout(() => socket.terminate(), CLOSE_MS);
  socket.on('close', () => clearTimeout(timer));
}
