import {
  CLOSE_CODES,
  type RunnerFrame,
  type RunnerRegistrationRequest,
  type RunnerRegistrationResponse,
} from '@controlplane/contracts';
import type { LinkRegistry } from '../links/link-registry.js';
import { serverFrame } from '../links/server-frames.js';
import type { SessionLink } from '../links/session-link.js';
import { createWebSocketConnection, type WebSocketConnection } from '../links/websocket-connection.js';
import type { Caller } from '../model/caller.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { RunnerConnection, RunnerSession } from '../model/runner-connection.js';
import type { ExecutionReports, Recorded } from './execution-reports.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { RunnerRegistry } from './runner-registry.js';

export interface SessionParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly reports: ExecutionReports;
  readonly links: LinkRegistry;
}

/** Reports of one socket that may be on their way to the disk. */
const MAX_OWED = 5_000;

/** A runner's socket and what it came to. */
interface Session {
  readonly socket: RunnerConnection;
  /** Who dialled. */
  readonly caller: Caller | undefined;
  readonly connection: WebSocketConnection;
  /** Whose it is, once it has registered. */
  runner: { readonly entry: RunnerEntry; readonly link: SessionLink } | undefined;
  /** Whether anything was heard since that was last looked at. */
  heard: boolean;
  /** It was pinged, and nothing was heard since. */
  asked: boolean;
  /** Why nothing is read from it now: a registration is being written, or many of its reports are. */
  readonly holds: Set<'registering' | 'reports'>;
  /** Reports that are being written. */
  owed: number;
  closed: boolean;
  stopTimer: () => void;
}

/** Closes from this side: whether the other answers is not waited for. */
function end(parts: SessionParts, session: Session, farewell: { code: number; reason: string }): void {
  session.socket.close(farewell.code, farewell.reason);
  onClose(parts, session);
}

/** Says why, and closes. */
function refuse(
  parts: SessionParts,
  session: Session,
  refusal: { error: JobForgeError; code: number },
): void {
  const { envelope } = refusal.error;
  session.connection.say(serverFrame.refused(envelope));
  end(parts, session, { code: refusal.code, reason: envelope.code });
}

function outOfOrder(message: string): JobForgeError {
  return new JobForgeError('VALIDATION_ERROR', { message });
}

function hold({ holds, socket }: Session, why: 'registering' | 'reports'): void {
  if (holds.size === 0) socket.pause();
  holds.add(why);
}

function release({ holds, socket }: Session, why: 'registering' | 'reports'): void {
  if (holds.delete(why) && holds.size === 0) socket.resume();
}

/** A runner that tells faster than can be written waits, instead of what it told. */
function owe(session: Session, change: 1 | -1): void {
  session.owed += change;
  if (session.owed > MAX_OWED) hold(session, 'reports');
  else if (session.owed < MAX_OWED / 2) release(session, 'reports');
}

/** Answers what a runner told of an execution, at once or when it is on disk. */
function answer(
  { session, link }: { session: Session; link: SessionLink },
  executionId: string,
  ask: (acknowledged: (seq: number) => void) => Recorded,
): void {
  const recorded = ask((seq) => {
    owe(session, -1);
    link.acknowledge(executionId, seq);
  });
  if (recorded === 'later') return owe(session, 1);
  if ('denial' in recorded) link.deny(executionId, recorded.denial);
  else link.acknowledge(executionId, recorded.seq);
}

/**
 * Asks whether a runner is there of which nothing was heard for as long as a beat takes to come, and closes where it
 * does not answer. One that beats is not asked.
 */
function watch(parts: SessionParts, session: Session): void {
  const { state } = parts;
  const { heartbeatIntervalMs } = state.limits;
  session.stopTimer();
  session.stopTimer = state.clock.after(session.asked ? heartbeatIntervalMs / 2 : heartbeatIntervalMs, () => {
    if (session.closed) return;
    const stalled = (session.runner?.entry.vitals.stalledMs ?? 0) > 0;
    // A main thread that is blocked cannot answer; its watchdog beats meanwhile.
    const mayBeSilent = session.holds.size > 0 || stalled;
    if (session.asked && !session.heard && !mayBeSilent)
      return end(parts, session, { code: CLOSE_CODES.silent, reason: 'No answer to a ping.' });
    session.asked = !session.heard;
    session.heard = false;
    if (session.asked) session.socket.ping();
    watch(parts, session);
  });
}

/** Puts the socket under its runner's link and says what is to be said of what the runner holds. */
function begin(
  parts: SessionParts,
  session: Session,
  joined: { response: RunnerRegistrationResponse; entry: RunnerEntry; held: readonly string[] },
): void {
  const { response, entry, held } = joined;
  const link = parts.links.session(entry.link);
  if (link === undefined || session.closed) return;
  session.connection.say(serverFrame.ready(response));
  const runner = { session, entry, link };
  session.runner = runner;
  link.attach(session.connection);
  for (const executionId of held) {
    if (entry.executions.has(executionId)) continue;
    answer(runner, executionId, (acknowledged) => parts.reports.judgeHeld(executionId, acknowledged));
  }
  link.flush();
  session.heard = true;
  watch(parts, session);
  parts.state.wake(entry);
}

function register(parts: SessionParts, session: Session, registration: RunnerRegistrationRequest): void {
  const { state, registry } = parts;
  const failed = (error: unknown): void => {
    if (!isJobForgeError(error)) state.log('error', 'a registration failed', { error: String(error) });
    const refusal = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
    refuse(parts, session, { error: refusal, code: CLOSE_CODES.refused });
  };
  if (state.dismissed) return failed(new JobForgeError('SHUTTING_DOWN'));
  hold(session, 'registering');
  const { held = [] } = registration;
  registry
    .register(registration, {
      caller: session.caller,
      arrival: {
        connection: session.connection,
        isOpen: () => !session.closed,
        ready: (response, entry) => begin(parts, session, { response, entry, held }),
      },
    })
    .catch(failed)
    .finally(() => {
      release(session, 'registering');
    });
}

type FrameOf<Type extends RunnerFrame['type']> = Extract<RunnerFrame, { type: Type }>;

function onBeat(
  { registry }: SessionParts,
  { connection, runner }: Session,
  { heartbeat }: FrameOf<'heartbeat'>,
): void {
  const own = heartbeat.runnerId === runner?.entry.id;
  const reply = own
    ? registry.heartbeat(heartbeat)
    : { known: false, receiving: false, directives: [{ kind: 'register' }] };
  connection.say(serverFrame.heartbeat(reply));
}

function onAccept({ reports }: SessionParts, link: SessionLink, { executions }: FrameOf<'accept'>): void {
  for (const { executionId, leaseToken } of executions)
    link.confirm(executionId, reports.accept(executionId, leaseToken));
  link.flush();
}

function onEvents(
  { reports }: SessionParts,
  to: { session: Session; link: SessionLink },
  { executions }: FrameOf<'events'>,
): void {
  for (const report of executions)
    answer(to, report.executionId, (acknowledged) => reports.record(report, acknowledged));
  to.link.flush();
}

function deregister(parts: SessionParts, session: Session, { reason }: FrameOf<'deregister'>): void {
  const { state, registry } = parts;
  const { entry } = session.runner ?? {};
  if (entry === undefined) return;
  const { instanceId } = entry.registration;
  const request = { ...(instanceId && { instanceId }), ...(reason && { reason }) };
  registry
    .deregister(entry.id, request)
    .catch((error: unknown) =>
      state.log('warn', 'a runner could not be deregistered', { error: String(error) }),
    )
    .finally(() => end(parts, session, { code: 1000, reason: 'The runner has left.' }));
}

function onFrame(parts: SessionParts, session: Session, frame: RunnerFrame): void {
  session.heard = true;
  if (session.closed) return;
  if (frame.type === 'register') return register(parts, session, frame.registration);
  const link = session.runner?.link;
  if (link === undefined)
    return refuse(parts, session, {
      error: outOfOrder('The first frame is `register`.'),
      code: CLOSE_CODES.protocol,
    });
  // Another connection took its place: what still comes over this one is told again over that one.
  if (link.connection() !== session.connection) return;
  if (frame.type === 'heartbeat') onBeat(parts, session, frame);
  else if (frame.type === 'accept') onAccept(parts, link, frame);
  else if (frame.type === 'events') onEvents(parts, { session, link }, frame);
  else deregister(parts, session, frame);
}

function onClose({ state, reports }: SessionParts, session: Session): void {
  if (session.closed) return;
  session.closed = true;
  session.stopTimer();
  session.connection.onClose();
  const { runner } = session;
  if (runner === undefined || !runner.link.detach(session.connection)) return;
  state.log('info', 'a runner has hung up', { runner: runner.entry.name });
  if (!state.closed) reports.broken(runner.entry);
}

/** Takes a runner's socket over, from its first frame to its end. */
export function openSession(parts: SessionParts, socket: RunnerConnection, caller?: Caller): RunnerSession {
  const { clock, limits } = parts.state;
  const session: Session = {
    socket,
    caller,
    connection: createWebSocketConnection(socket, clock),
    runner: undefined,
    heard: true,
    asked: false,
    holds: new Set(),
    owed: 0,
    closed: false,
    stopTimer: clock.after(limits.handshakeMs, () =>
      end(parts, session, { code: CLOSE_CODES.handshake, reason: 'No `register` in time.' }),
    ),
  };
  return {
    onFrame: (frame) => onFrame(parts, session, frame),
    onPong() {
      session.heard = true;
      session.connection.onPong();
    },
    onDrain() {
      const { runner } = session;
      if (runner === undefined) return;
      runner.link.flush();
      parts.state.wake(runner.entry);
    },
    onClose: () => onClose(parts, session),
  };
}
