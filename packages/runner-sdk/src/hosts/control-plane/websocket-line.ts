import { CLOSE_CODES, DEFAULTS, ServerFrame, WEBSOCKET_PROTOCOL } from '@controlplane/contracts';
import { createReconnectingSocket, type SocketEnd } from '../../transport/reconnecting-socket.js';
import type { TimerHandle } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import { FAREWELL_MS, onLost } from '../session-state.js';
import type { DialInOptions, Line } from './dial-in.js';
import { createFrameWriter, type FrameWriter } from './frame-writer.js';
import { notReached, refusalOf, type Refusal } from '../refusals.js';
import { onDirectives, onRegistered } from './session-core.js';
import { onHeartbeatReply, sendBeat, startBeating, type WebSocketBeats } from './websocket-beats.js';
import { mayRetry, refusalOfEnd } from './websocket-end.js';
import { within } from '../../util/within.js';

/** Milliseconds between two pings, and for the answer to one. */
const PING_MS = 10_000;

/** Bytes of a message around offers that fill what a body may be. */
const OFFERS_OVERHEAD_BYTES = 64 * 1024;

interface State extends WebSocketBeats {
  readonly writer: FrameWriter;
  isLeaving: boolean;
  refusal: Refusal | undefined;
  handshakeTimer: TimerHandle | undefined;
  /** Failures in a row since the last registration, for the log. */
  failures: number;
}

function stopHandshakeTimer(state: State): void {
  if (state.handshakeTimer !== undefined) state.core.runner.clock.clearTimeout(state.handshakeTimer);
  state.handshakeTimer = undefined;
}

function register(state: State): void {
  const { core, socket, offers } = state;
  state.refusal = undefined;
  const registration = { ...core.runner.describe(), delivery: { kind: 'websocket' }, held: offers.held() };
  socket.send(JSON.stringify({ type: 'register', registration }));
  stopHandshakeTimer(state);
  state.handshakeTimer = core.runner.clock.setTimeout(
    () => socket.close(CLOSE_CODES.handshake, { reason: 'no ready in time' }),
    DEFAULTS.handshakeMs,
  );
}

function onReady(state: State, frame: Extract<ServerFrame, { type: 'ready' }>): void {
  const { core, socket, offers, credentials, writer } = state;
  stopHandshakeTimer(state);
  credentials.take(frame.registration);
  socket.accept();
  state.failures = 0;
  state.idleReplies = 0;
  const wasReady = state.isReady;
  state.isReady = true;
  writer.setLimit(frame.registration.limits?.maxBodyBytes);
  onRegistered(core, frame.registration);
  if (!wasReady) offers.onLinkUp();
  if (core.runner.isDraining()) void sendBeat(state);
  startBeating(state);
}

function onFrame(state: State, frame: ServerFrame): void {
  const { core, offers } = state;
  switch (frame.type) {
    case 'ready':
      return onReady(state, frame);
    case 'refused':
      state.refusal = refusalOf(frame.error);
      return;
    case 'heartbeat':
      return onHeartbeatReply(state, frame.reply);
    case 'confirmed':
      for (const { executionId, code } of frame.executions) offers.confirm(executionId, code);
      return;
    case 'acknowledged':
      for (const { executionId, seq, code } of frame.executions) offers.acknowledge(executionId, seq, code);
      return;
    case 'directives':
      return onDirectives(core, frame.directives);
    case 'offers':
      return;
  }
}

function onMessage(state: State, text: string): void {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    state.core.runner.logger.warn(
      { reason: sayThrown(error) },
      'the control plane sent a message that is no JSON',
    );
    return state.socket.close(CLOSE_CODES.protocol, { reason: 'not JSON' });
  }
  const { type, executions } = Object(value) as { readonly type?: unknown; readonly executions?: unknown };
  if (type === 'offers' && Array.isArray(executions)) {
    // One by one: what one of them lacks must not harm the others.
    for (const offer of executions) state.offers.offer(offer);
    return state.writer.flushAccepts();
  }
  const frame = ServerFrame.safeParse(value);
  if (frame.success) return onFrame(state, frame.data);
  const isKnown = ['ready', 'refused', 'heartbeat', 'confirmed', 'acknowledged', 'directives'].includes(
    String(type),
  );
  const { logger } = state.core.runner;
  if (!isKnown) return logger.debug({ type: String(type) }, 'a frame of a kind that is not known is ignored');
  logger.warn(
    { type, reason: sayThrown(frame.error) },
    'the control plane sent a frame that the contract does not allow',
  );
  state.socket.close(CLOSE_CODES.protocol, { reason: `malformed ${String(type)}` });
}

/** Forgets all that belonged to the connection that is gone. */
function dropConnection(state: State): void {
  const wasReady = state.isReady;
  stopHandshakeTimer(state);
  state.isReady = false;
  state.beating.abort();
  state.beat?.resolve(notReached('UNREACHABLE', 'the connection is gone'));
  state.writer.reset();
  if (wasReady) state.offers.onLinkLost();
  onLost(state.core);
}

function onEnd(state: State, end: SocketEnd): 'stop' | number {
  const { core } = state;
  const wasReady = state.isReady;
  dropConnection(state);
  const refusal = refusalOfEnd(state, end);
  if (!mayRetry(state, refusal, wasReady)) return 'stop';
  const isProxy = !wasReady && state.refusal === undefined && refusal.code.startsWith('UNREA');
  if (isProxy && state.onBlocked?.(refusal, state.failures + 1) === 'stop') return 'stop';
  const isFirst = state.failures++ === 0;
  const what = wasReady ? 'lost the connection to' : 'no connection yet to';
  core.runner.logger[isFirst ? 'warn' : 'debug'](
    { code: refusal.code, reason: refusal.message, closeCode: end.code },
    `${what} ${core.controlPlaneUrl}; connecting again`,
  );
  return refusal.retryAfterMs ?? 0;
}

async function leave(state: State, reason: string): Promise<void> {
  const { core, offers, socket } = state;
  if (core.runnerId !== undefined && core.state !== 'refused') await within(FAREWELL_MS, offers.whenEmpty());
  state.isLeaving = true;
  state.beating.abort();
  if (state.isReady) socket.send(JSON.stringify({ type: 'deregister', reason: reason.slice(0, 256) }));
  await socket.stop(1000, 'left');
}

/** Makes the line over a WebSocket; nothing is dialled before it is started. */
export function createWebSocketLine(options: DialInOptions): Line {
  const { core, priorFailures = 0 } = options;
  const { clock, random } = core.runner;
  const socket = createReconnectingSocket({
    url: `${core.controlPlaneUrl.replace(/\/+$/, '').replace(/^http/, 'ws')}/runners/connect`,
    protocol: WEBSOCKET_PROTOCOL,
    async headers() {
      const authorization = await options.credentials.forRegistration();
      return authorization === undefined ? {} : { authorization };
    },
    maxPayloadBytes: core.runner.maxBodyBytes + OFFERS_OVERHEAD_BYTES,
    handshakeMs: DEFAULTS.handshakeMs,
    pingMs: PING_MS,
    backoff: { minMs: DEFAULTS.reconnectMinMs, maxMs: DEFAULTS.reconnectMaxMs },
    stableMs: DEFAULTS.stableMs,
    firstAttempt: priorFailures,
    clock,
    random,
    onOpen: () => register(state),
    onMessage: (text) => onMessage(state, text),
    onDrain: () => state.writer.resume(),
    onEnd: (end) => onEnd(state, end),
  });
  const state: State = {
    ...options,
    socket,
    writer: createFrameWriter({
      send: socket.send,
      isOpen: () => state.isReady,
      service: core.runner.manifest.name,
    }),
    isReady: false,
    isLeaving: false,
    refusal: undefined,
    handshakeTimer: undefined,
    beating: new AbortController(),
    beat: undefined,
    idleReplies: 0,
    failures: priorFailures,
  };
  return {
    delivery: 'websocket',
    wire: state.writer,
    start: socket.start,
    renew() {
      if (state.isReady) register(state);
    },
    reconnect: (afterMs) => socket.close(1000, { reason: 'asked to reconnect', afterMs }),
    async announceDrain() {
      if (state.isReady) await within(FAREWELL_MS, sendBeat(state));
      else if (options.offers.held().length === 0) await socket.stop(1000, 'draining');
    },
    leave: (reason) => leave(state, reason),
  };
}
