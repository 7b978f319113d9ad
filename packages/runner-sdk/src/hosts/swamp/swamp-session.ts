import { DEFAULTS } from '@controlplane/contracts';
import {
  SWAMP_METHODS,
  SWAMP_PROTOCOL_VERSION,
  SwampEnrolled,
  SwampSession,
  type SwampEnroll,
} from '@controlplane/contracts/swamp';
import { createReconnectingSocket, type SocketEnd } from '../../transport/reconnecting-socket.js';
import type { TimerHandle } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import { within } from '../../util/within.js';
import { commandLineOf } from '../command-line.js';
import { readSource } from '../credential-source.js';
import type { HostedRunner, HostSession } from '../host.js';
import { isPermanent, notReached, type Refusal } from '../refusals.js';
import {
  createSessionState,
  FAREWELL_MS,
  onConnected,
  onLost,
  onRefused,
  onStopped,
  type SessionState,
} from '../session-state.js';
import { machineIdFor } from './machine-id.js';
import type { ResolvedSwampOptions } from './options.js';
import { refusalOfEnrollment, refusalOfUpgrade } from './refusals.js';
import { createRpcChannel, type RpcChannel } from './rpc-channel.js';
import { createSwampDispatches, type SwampDispatches } from './swamp-dispatches.js';

/** Milliseconds between two pings, and for the answer to one: the protocol has none of its own. */
const PING_MS = 10_000;
const BACKOFF = { minMs: 1_000, maxMs: 30_000 };
const HANDSHAKE_MS = 10_000;
const LEAST_REFRESH_MS = 1_000;
/** Of a dispatch: arguments and the variables of the control plane. */
const FRAME_OVERHEAD_BYTES = 1024 * 1024;

/** Swamp names systems and processors as its own runtime does. */
const PLATFORMS: Readonly<Record<string, string>> = { win32: 'windows' };
const PROCESSORS: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch64' };

interface State {
  readonly session: SessionState;
  readonly options: ResolvedSwampOptions;
  readonly socket: ReturnType<typeof createReconnectingSocket>;
  readonly channel: RpcChannel;
  readonly dispatches: SwampDispatches;
  readonly leaving: AbortController;
  credentials: { readonly token: string; readonly machineId: string } | undefined;
  swamp: SwampSession | undefined;
  refusal: Refusal | undefined;
  refreshTimer: TimerHandle | undefined;
  failures: number;
}

/** Read anew for each connection. */
async function headersOf(state: State): Promise<Record<string, string>> {
  const { options, session } = state;
  const token = (await readSource(options.token, 'token')) ?? '';
  state.credentials = { token, machineId: machineIdFor(session.runner, options.cacheDir) };
  const server = await readSource(options.serverToken, 'serverToken');
  return server === undefined ? {} : { authorization: `Bearer ${server}` };
}

function enrollmentOf({ session, options, credentials }: State): SwampEnroll {
  const { runner } = session;
  return {
    token: credentials?.token ?? '',
    machineId: credentials?.machineId ?? '',
    instanceUuid: runner.instanceId,
    protocolVersion: SWAMP_PROTOCOL_VERSION,
    swampVersion: `controlplane-${runner.manifest.version}`,
    platform: PLATFORMS[process.platform] ?? process.platform,
    arch: PROCESSORS[process.arch] ?? process.arch,
    labels: { ...runner.describe().labels, ...options.labels },
    resourceLimits: { capacity: runner.slots().total },
  };
}

async function enroll(state: State): Promise<void> {
  const { session, channel, socket } = state;
  const answer = await channel.request(SWAMP_METHODS.enroll, enrollmentOf(state));
  if (!answer.ok) {
    // It is known already how the connection ended; what is said here would be taken for the end of the next.
    if (answer.code === 'connection_lost') return;
    state.refusal = refusalOfEnrollment(answer.code, answer.message);
    return socket.close(1000, { reason: 'not enrolled' });
  }
  const enrolled = SwampEnrolled.safeParse(answer.result);
  if (!enrolled.success) {
    state.refusal = notReached(
      'UNREADABLE',
      `the enrollment was answered with what cannot be read: ${sayThrown(enrolled.error)}`,
    );
    return socket.close(1002, { reason: 'malformed enrollment' });
  }
  state.failures = 0;
  socket.accept();
  keepSession(state, enrolled.data);
  onConnected(session, enrolled.data.workerId);
  session.runner.logger.info(
    { controlPlane: session.controlPlaneUrl, runnerId: session.runnerId },
    'registered',
  );
}

/** Renews the session when two thirds of its time are over. */
function keepSession(state: State, swamp: SwampSession): void {
  const { clock } = state.session.runner;
  state.swamp = swamp;
  const lifetimeMs = swamp.sessionExpiresAtMs - clock.now();
  state.refreshTimer = clock.setTimeout(
    () => void refresh(state),
    Math.max(LEAST_REFRESH_MS, (lifetimeMs * 2) / 3),
  );
}

async function refresh(state: State): Promise<void> {
  const { channel, socket, session } = state;
  const answer = await channel.request(SWAMP_METHODS.refresh, {});
  if (session.state !== 'connected') return;
  const renewed = answer.ok ? SwampSession.safeParse(answer.result).data : undefined;
  if (renewed) return keepSession(state, renewed);
  // Enrolled anew, it has another one.
  socket.close(1000, { reason: 'the session could not be renewed' });
}

function stopRefreshing(state: State): void {
  if (state.refreshTimer !== undefined) state.session.runner.clock.clearTimeout(state.refreshTimer);
  state.refreshTimer = undefined;
}

function refusalOf({ refusal: said }: State, { code, reason, refusal }: SocketEnd): Refusal {
  if (said) return said;
  if (refusal) return refusalOfUpgrade(refusal.status, refusal.body, refusal.retryAfter);
  return notReached('UNREACHABLE', `${reason || 'the connection was closed'} (${code})`);
}

function onEnd(state: State, end: SocketEnd): 'stop' | number {
  const { session, channel, dispatches, options, leaving } = state;
  const { runner, controlPlaneUrl } = session;
  const wasConnected = session.state === 'connected';
  const refusal = refusalOf(state, end);
  stopRefreshing(state);
  state.swamp = undefined;
  state.refusal = undefined;
  channel.onLost();
  dispatches.onLost();
  onLost(session);
  if (leaving.signal.aborted) return 'stop';
  if (isPermanent(refusal)) {
    onRefused(session, refusal);
    return 'stop';
  }
  const isFirst = state.failures++ === 0;
  const what = `${wasConnected ? 'lost the connection to' : 'no connection yet to'} ${controlPlaneUrl}`;
  const fields = { code: refusal.code, reason: refusal.message, closeCode: end.code };
  if (!options.reconnect) {
    runner.logger.warn(fields, `${what}; it is not to be made anew, so the runner stops`);
    runner.drain(what);
    return 'stop';
  }
  runner.logger[isFirst ? 'warn' : 'debug'](fields, `${what}; connecting again`);
  return refusal.retryAfterMs ?? 0;
}

function createState(runner: HostedRunner, options: ResolvedSwampOptions): State {
  const leaving = new AbortController();
  const socket = createReconnectingSocket({
    url: options.url.replace(/^http/, 'ws'),
    headers: () => headersOf(state),
    maxPayloadBytes: runner.maxBodyBytes + FRAME_OVERHEAD_BYTES,
    handshakeMs: HANDSHAKE_MS,
    pingMs: PING_MS,
    backoff: BACKOFF,
    stableMs: DEFAULTS.stableMs,
    clock: runner.clock,
    random: runner.random,
    onOpen: () => void enroll(state),
    onMessage: (text) => state.channel.receive(text),
    onDrain: () => undefined,
    onEnd: (end) => onEnd(state, end),
  });
  const channel = createRpcChannel({
    send: (text) => void socket.send(text),
    clock: runner.clock,
    onRequest(method, params, reply) {
      if (method === SWAMP_METHODS.dispatch) return dispatches.take(params, reply);
      reply.fail('unknown_method', `this runner knows no ${method}`);
    },
    onCancel: (id) => dispatches.cancel(id),
    onStrange: (what) => runner.logger.warn({ what }, 'a frame that is not understood is ignored'),
  });
  const line = commandLineOf(runner.manifest, 'swamp', options);
  const credential = (): string | undefined => state.swamp?.sessionCredential;
  const dispatches = createSwampDispatches({ runner, options, line, credential }, leaving.signal);
  const state: State = {
    session: createSessionState(runner, options.url),
    options,
    socket,
    channel,
    dispatches,
    leaving,
    credentials: undefined,
    swamp: undefined,
    refusal: undefined,
    refreshTimer: undefined,
    failures: 0,
  };
  return state;
}

/**
 * Makes the session of one runner at one swamp.
 * @throws RunnerError `INVALID_OPTION` where the runner has no capability for command lines
 */
export function attachSwamp(runner: HostedRunner, options: ResolvedSwampOptions): HostSession {
  const state = createState(runner, options);
  const { session, socket, channel, dispatches, leaving } = state;
  return {
    get status() {
      const { state: where, runnerId, refusal } = session;
      return { state: where, runnerId, refusal, delivery: 'websocket', unacknowledged: 0 };
    },
    start: socket.start,
    ready: session.registration.promise,
    reasons: () => (session.state === 'connected' ? [] : [`not connected to ${session.controlPlaneUrl}`]),
    async announceDrain() {
      if (session.state === 'connected') await within(FAREWELL_MS, channel.request(SWAMP_METHODS.drain, {}));
    },
    async leave(reason) {
      // Its answer to a ping shows that the control plane has read the last result: only then is hung up.
      await within(
        FAREWELL_MS,
        dispatches.whenAnswered().then(() => socket.confirm()),
      );
      leaving.abort();
      onStopped(session);
      stopRefreshing(state);
      await socket.stop(1000, reason.slice(0, 100));
    },
  };
}
