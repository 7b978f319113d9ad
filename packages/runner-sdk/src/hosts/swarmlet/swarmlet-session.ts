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
import type { HostedRunner, HostSession } from '../host.js';
import {
  createSessionState,
  FAREWELL_MS,
  onConnected,
  onLost,
  onStopped,
  type SessionState,
} from '../session-state.js';
import { createUnconfirmedFrames, type UnconfirmedFrames } from '../unconfirmed-frames.js';
import { createCurrentIdentity, type CurrentIdentity } from './current-identity.js';
import { baseUrl } from './identity.js';
import { openFrameOutbox, type CommandFrame, type FrameOutbox } from './kept-frames.js';
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
  readonly frames: UnconfirmedFrames<CommandFrame>;
  readonly socket: ReturnType<typeof createReconnectingSocket>;
  readonly executions: SwarmletExecutions;
  readonly leaving: AbortController;
  readonly identity: CurrentIdentity;
  readonly metadata: SwarmletMetadata;
  silenceTimer: TimerHandle | undefined;
  beatTimer: TimerHandle | undefined;
  failures: number;
  /** Undefined before the start, and without a state directory. */
  outbox: FrameOutbox | undefined;
  starting: Promise<void> | undefined;
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
  identity.accepted();
  socket.accept();
  beat(state);
  frames.onLinkUp();
  state.executions.sayRunning();
  if (session.state === 'connected') return;
  onConnected(session, String(identity.known?.runnerId ?? identity.known?.runnerName));
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
  const { session, identity, metadata, socket } = state;
  const { known, secret = '' } = identity;
  const hello: SwarmletHello = {
    type: 'hello',
    runner_id: known?.runnerId ?? null,
    ...(known?.runnerName === undefined ? {} : { runner_name: known.runnerName }),
    secret,
    metadata,
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

function onEnd(state: State, { code, reason }: SocketEnd): 'stop' | number {
  const { session, frames } = state;
  const wasConnected = session.state === 'connected';
  stopTimers(state);
  frames.onLinkLost();
  onLost(session);
  const refusal = refusalOfClose(code, reason);
  if (!state.identity.mayRetry(refusal)) return 'stop';
  const isFirst = state.failures++ === 0;
  session.runner.logger[isFirst ? 'warn' : 'debug'](
    { code: refusal.code, reason: refusal.message, closeCode: code },
    `${wasConnected ? 'lost the connection to' : 'no connection yet to'} ${session.controlPlaneUrl}; connecting again`,
  );
  return 0;
}

/** Whoever says that a runner is to look only must not be served by one that does anything. */
function checkAllowed({ capabilityId, isReadonly }: CommandLine, { allowed }: ResolvedSwarmletOptions): void {
  if (isReadonly || allowed.length === 0 || allowed.includes('exec.full')) return;
  throw new RunnerError(
    'INVALID_OPTION',
    `environment variable RUNNER_CAPABILITIES is ${JSON.stringify(allowed.join(','))}, and the capability "${capabilityId}" runs any command: serve one of shell({ profile: 'readonly' }), or add exec.full to the variable`,
  );
}

function createState(runner: HostedRunner, options: ResolvedSwarmletOptions): State {
  const socket = createReconnectingSocket({
    url: `${baseUrl(options.url, 'ws')}/${SWARMLET_PATHS.socket}`,
    async headers() {
      await state.identity.prepare();
      return {};
    },
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
  checkAllowed(line, options);
  const session = createSessionState(runner, options.url);
  const leaving = new AbortController();
  const metadata = metadataOf({ session, options, line });
  const frames = createUnconfirmedFrames<CommandFrame>(socket, (jobId) => state.outbox?.remove(jobId));
  const state: State = {
    session,
    options,
    line,
    frames,
    socket,
    executions: createSwarmletExecutions(runner, line, frames),
    leaving,
    identity: createCurrentIdentity({ session, options, metadata, leaving: leaving.signal }),
    metadata,
    silenceTimer: undefined,
    beatTimer: undefined,
    failures: 0,
    outbox: undefined,
    starting: undefined,
  };
  return state;
}

/** Dials once it is known what an earlier process left to be said. */
async function begin(state: State): Promise<void> {
  const { session, options, executions, socket } = state;
  state.outbox = await openFrameOutbox(session.runner, options);
  if (state.outbox) executions.keepIn(state.outbox);
  socket.start();
}

/**
 * Makes the session of one runner at one Swarmlet.
 * @throws RunnerError `INVALID_OPTION` where the runner has no capability for command lines
 */
export function attachSwarmlet(runner: HostedRunner, options: ResolvedSwarmletOptions): HostSession {
  const state = createState(runner, options);
  const { session, frames, socket, leaving, identity } = state;
  return {
    get status() {
      const { state: where, runnerId, refusal } = session;
      return { state: where, runnerId, refusal, delivery: 'websocket', unacknowledged: frames.results() };
    },
    start: () => void (state.starting ??= begin(state)),
    ready: session.registration.promise,
    reasons: () => (session.state === 'connected' ? [] : [`not connected to ${session.controlPlaneUrl}`]),
    async announceDrain() {
      // There is no word for it: whoever has nothing left to say hangs up, and is offered nothing more.
      await state.starting;
      if (state.executions.running() > 0 || frames.results() > 0) return;
      leaving.abort();
      await socket.stop(1000, 'draining');
    },
    async leave(reason) {
      await state.starting;
      if (session.state !== 'refused' && session.runnerId !== undefined)
        await within(FAREWELL_MS, frames.whenEmpty());
      leaving.abort();
      onStopped(session);
      stopTimers(state);
      await socket.stop(1000, reason.slice(0, 100));
      await Promise.all([identity.settled(), state.outbox?.flush()]);
    },
  };
}
