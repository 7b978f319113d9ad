import { hostname } from 'node:os';
import { DEFAULTS } from '@controlplane/contracts';
import {
  SWARMLET_PATHS,
  SwarmletServerFrame,
  type SwarmletHello,
  type SwarmletMetadata,
} from '@controlplane/contracts/swarmlet';
import { RunnerError } from '../../errors/runner-error.js';
import { createReconnectingSocket, type SocketEnd } from '../../transport/reconnecting-socket.js';
import type { TimerHandle } from '../../util/clock.js';
import { sayThrown } from '../../util/safe-json.js';
import { within } from '../../util/within.js';
import { commandLineOf, type CommandLine } from '../command-line.js';
import { readSource } from '../credential-source.js';
import type { HostedRunner, HostSession } from '../host.js';
import { isPermanent, type Refusal } from '../refusals.js';
import { registerUntilDone } from '../registration-loop.js';
import {
  createSessionState,
  FAREWELL_MS,
  onConnected,
  onLost,
  onRefused,
  onStopped,
  type SessionState,
} from '../session-state.js';
import { createUnconfirmedFrames, type UnconfirmedFrames } from '../unconfirmed-frames.js';
import { baseUrl, enroll, knownIdentity, type Identity } from './identity.js';
import type { ResolvedSwarmletOptions } from './options.js';
import { refusalOfClose } from './refusals.js';
import { createSwarmletExecutions, type SwarmletExecutions } from './swarmlet-executions.js';

/** Milliseconds between two pings, and for the answer to one. */
const PING_MS = 10_000;

/** A hello is answered by work or by a close, and by nothing where it was taken: silence for so many milliseconds. */
const SILENCE_MS = 1_000;

interface State {
  readonly session: SessionState;
  readonly options: ResolvedSwarmletOptions;
  readonly line: CommandLine;
  readonly frames: UnconfirmedFrames;
  readonly socket: ReturnType<typeof createReconnectingSocket>;
  readonly executions: SwarmletExecutions;
  readonly leaving: AbortController;
  identity: Identity | undefined;
  /** The secret of the connection that there is, and the one that was refused last. */
  secret: string | undefined;
  refused: { readonly secret: string | undefined; readonly refusal: Refusal } | undefined;
  silenceTimer: TimerHandle | undefined;
  beatTimer: TimerHandle | undefined;
  failures: number;
}

function metadataOf({
  session,
  options,
  line,
}: Pick<State, 'session' | 'options' | 'line'>): SwarmletMetadata {
  return {
    hostname: hostname(),
    platform: process.platform,
    arch: process.arch,
    runner_version: session.runner.manifest.version,
    heartbeat_interval_ms: options.heartbeatIntervalMs,
    capabilities: [line.isReadonly ? 'exec.readonly' : 'exec.full'],
  };
}

/** The control plane knows the runner: it did not hang up. */
function accepted(state: State): void {
  const { session, socket, frames, identity } = state;
  stopTimers(state);
  state.failures = 0;
  state.refused = undefined;
  socket.accept();
  beat(state);
  frames.onLinkUp();
  if (session.state === 'connected') return;
  onConnected(session, String(identity?.runnerId ?? identity?.runnerName));
  session.runner.logger.info(
    { controlPlane: session.controlPlaneUrl, runnerId: session.runnerId },
    'registered',
  );
}

function beat(state: State): void {
  const { clock } = state.session.runner;
  state.beatTimer = clock.setTimeout(() => {
    state.socket.send(JSON.stringify({ type: 'heartbeat' }));
    beat(state);
  }, state.options.heartbeatIntervalMs);
}

function stopTimers(state: State): void {
  const { clock } = state.session.runner;
  for (const timer of [state.silenceTimer, state.beatTimer])
    if (timer !== undefined) clock.clearTimeout(timer);
  state.silenceTimer = undefined;
  state.beatTimer = undefined;
}

function sayHello(state: State): void {
  const { session, identity, secret = '', socket } = state;
  const hello: SwarmletHello = {
    type: 'hello',
    runner_id: identity?.runnerId ?? null,
    ...(identity?.runnerName === undefined ? {} : { runner_name: identity.runnerName }),
    secret,
    metadata: metadataOf(state),
  };
  socket.send(JSON.stringify(hello));
  state.silenceTimer = session.runner.clock.setTimeout(() => accepted(state), SILENCE_MS);
}

function onMessage(state: State, text: string): void {
  const { executions } = state;
  const { logger } = state.session.runner;
  if (state.silenceTimer !== undefined) accepted(state);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return logger.warn({ reason: sayThrown(error) }, 'the control plane sent a message that is no JSON');
  }
  const parsed = SwarmletServerFrame.safeParse(value);
  if (!parsed.success)
    return logger.warn({ reason: sayThrown(parsed.error) }, 'a frame that is not understood is ignored');
  const frame = parsed.data;
  if (frame.type === 'exec_request') executions.run(frame);
  else executions.cancel(frame.job_id);
}

/** Read anew for each connection: a secret that was refused is not offered twice. */
async function readSecret(state: State): Promise<Record<string, string>> {
  const { identity, refused } = state;
  const secret = await readSource(identity?.secret, 'secret');
  if (refused && refused.secret === secret)
    throw new RunnerError('REGISTRATION_REFUSED', refused.refusal.message);
  state.secret = secret;
  state.refused = undefined;
  return {};
}

/** Whether the runner may try again. */
function mayRetry(state: State, refusal: Refusal): boolean {
  const { session, identity, refused } = state;
  if (state.leaving.signal.aborted) return false;
  if (refused) {
    // The secret was read once more, and is still the one that was not taken.
    onRefused(session, refused.refusal);
    return false;
  }
  if (!isPermanent(refusal)) return true;
  if (typeof identity?.secret !== 'string' && /^(CREDENTIAL|TOKEN)_/.test(refusal.code)) {
    state.refused = { secret: state.secret, refusal };
    return true;
  }
  onRefused(session, refusal);
  return false;
}

function onEnd(state: State, { code, reason }: SocketEnd): 'stop' | number {
  const { session, frames } = state;
  const wasConnected = session.state === 'connected';
  stopTimers(state);
  frames.onLinkLost();
  onLost(session);
  const refusal = refusalOfClose(code, reason);
  if (!mayRetry(state, refusal)) return 'stop';
  const isFirst = state.failures++ === 0;
  session.runner.logger[isFirst ? 'warn' : 'debug'](
    { code: refusal.code, reason: refusal.message, closeCode: code },
    `${wasConnected ? 'lost the connection to' : 'no connection yet to'} ${session.controlPlaneUrl}; connecting again`,
  );
  return 0;
}

/** Enrolls where nothing else says who the runner is, then dials. */
async function begin(state: State): Promise<void> {
  const { session, options, socket, leaving } = state;
  const { clock, random, logger } = session.runner;
  state.identity = await knownIdentity(session.runner, options);
  if (!state.identity && options.enrollToken === undefined)
    return onRefused(session, {
      code: 'CREDENTIAL_MISSING',
      message: 'the runner has neither a secret nor an enrollment token, and kept none',
      remedy: 'Set RUNNER_SECRET with RUNNER_ID or RUNNER_NAME, or SWARMLET_ENROLL_TOKEN.',
      retryAfterMs: undefined,
    });
  if (!state.identity)
    await registerUntilDone<Identity>(
      {
        ask: () => enroll(session.runner, options, metadataOf(state)),
        onRegistered: (identity) => {
          state.identity = identity;
        },
        hasAlternative: () => false,
        onRefused: (refusal) => onRefused(session, refusal),
        clock,
        random,
        logger,
        controlPlaneUrl: session.controlPlaneUrl,
      },
      leaving.signal,
    );
  if (state.identity && !leaving.signal.aborted) socket.start();
}

function createState(runner: HostedRunner, options: ResolvedSwarmletOptions): State {
  const socket = createReconnectingSocket({
    url: `${baseUrl(options.url, 'ws')}/${SWARMLET_PATHS.socket}`,
    headers: () => readSecret(state),
    maxPayloadBytes: runner.maxBodyBytes,
    handshakeMs: options.connectTimeoutMs,
    pingMs: PING_MS,
    backoff: {
      minMs: options.reconnectDelayMs,
      maxMs: Math.max(options.reconnectDelayMs, options.maxReconnectDelayMs),
    },
    stableMs: DEFAULTS.stableMs,
    clock: runner.clock,
    random: runner.random,
    onOpen: () => sayHello(state),
    onMessage: (text) => onMessage(state, text),
    onDrain: () => state.frames.onDrain(),
    onEnd: (end) => onEnd(state, end),
  });
  const line = commandLineOf(runner.manifest, 'swarmlet', options);
  const frames = createUnconfirmedFrames(socket);
  const state: State = {
    session: createSessionState(runner, options.url),
    options,
    line,
    frames,
    socket,
    executions: createSwarmletExecutions(runner, line, frames),
    leaving: new AbortController(),
    identity: undefined,
    secret: undefined,
    refused: undefined,
    silenceTimer: undefined,
    beatTimer: undefined,
    failures: 0,
  };
  return state;
}

/**
 * Makes the session of one runner at one Swarmlet.
 * @throws RunnerError `INVALID_OPTION` where the runner has no capability for command lines
 */
export function attachSwarmlet(runner: HostedRunner, options: ResolvedSwarmletOptions): HostSession {
  const state = createState(runner, options);
  const { session, frames, socket, leaving } = state;
  let starting: Promise<void> | undefined;
  return {
    get status() {
      const { state: where, runnerId, refusal } = session;
      return { state: where, runnerId, refusal, delivery: 'websocket', unacknowledged: frames.results() };
    },
    start: () => void (starting ??= begin(state)),
    ready: session.registration.promise,
    reasons: () => (session.state === 'connected' ? [] : [`not connected to ${session.controlPlaneUrl}`]),
    async announceDrain() {
      // There is no word for it: whoever has nothing left to say hangs up, and is offered nothing more.
      if (state.executions.running() === 0 && frames.results() === 0) await socket.stop(1000, 'draining');
    },
    async leave(reason) {
      if (session.state !== 'refused' && session.runnerId !== undefined)
        await within(FAREWELL_MS, frames.whenEmpty());
      leaving.abort();
      onStopped(session);
      stopTimers(state);
      await socket.stop(1000, reason.slice(0, 100));
      await starting;
    },
  };
}
