import {
  CLOSE_CODES,
  RunnerRegistrationRequest,
  ServerFrame,
  type CancelReason,
  type ErrorEnvelope,
  type ExecutionEvent,
  type RunnerExecutionRequest,
  type RunnerFrame,
} from '@controlplane/contracts';
import type { Caller } from '../model/caller.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { RunnerConnection, RunnerSession } from '../model/runner-connection.js';
import type { DoorParts } from './door.js';
import { createForeignExecution, type CarriedExecution, type ForeignExecution } from './foreign-execution.js';
import type { Announcement, ForeignLine, ForeignSide } from './foreign-side.js';

/** A runner of another kind, from one of its connections to the next. */
export interface ForeignRunner {
  /** What it runs, by id; undefined where it is over, or was never its own. */
  execution(id: string): ForeignExecution | undefined;
  /** The last one takes the place of those before. */
  connect(from: {
    readonly caller: Caller;
    readonly announcement: Announcement;
    readonly side: ForeignSide;
  }): ForeignLine;
  /** Whether it has no connection, and nothing that it could go on with. */
  isIdle(): boolean;
}

interface Line {
  readonly side: ForeignSide;
  readonly session: () => RunnerSession;
  /** Offers that were claimed; they begin once that is confirmed. */
  readonly claimed: Map<string, RunnerExecutionRequest>;
  /** Those of them that were cancelled meanwhile. */
  readonly recalled: Map<string, CancelReason>;
  readonly frames: RunnerFrame[];
  runnerId: string | undefined;
  refused: ErrorEnvelope | undefined;
  heard: boolean;
  draining: boolean;
  closed: boolean;
  stopBeats: () => void;
}

interface State {
  readonly parts: DoorParts;
  readonly executions: Map<string, CarriedExecution>;
  /** The one that JobForge has taken in. */
  line: Line | undefined;
  /** Connections that are not closed, taken in or not. */
  open: number;
  /** When the last line was lost. */
  leftAt: number;
}

/** What a runner held that has been away for so long is not its own any more, whatever it says. */
const FORGOTTEN_MS = 600_000;

/** Says something to JobForge once it has finished what it is saying. */
function post(state: State, line: Line, frame: RunnerFrame): void {
  if (line.frames.push(frame) > 1) return;
  queueMicrotask(() => {
    try {
      for (const next of line.frames.splice(0)) if (!line.closed) line.session().onFrame(next);
    } catch (error) {
      state.parts.log('error', 'what a foreign runner said could not be dealt with', { error });
      line.side.end({ code: 1011, reason: 'internal error', error: undefined });
    }
  });
}

function postEvents(state: State, execution: CarriedExecution, events: readonly ExecutionEvent[]): void {
  const { line } = state;
  if (line?.runnerId === undefined || events.length === 0) return;
  const { leaseToken } = execution.request;
  const last = line.frames.at(-1);
  const waiting = last?.type === 'events' ? last.executions[0] : undefined;
  // What is told in one go goes as one report.
  if (waiting?.executionId === execution.id) return void waiting.events.push(...events);
  const report = { executionId: execution.id, events: [...events], ...(leaseToken && { leaseToken }) };
  post(state, line, { type: 'events', executions: [report] });
}

function begin(state: State, line: Line, id: string): void {
  const request = line.claimed.get(id);
  line.claimed.delete(id);
  if (request === undefined) return;
  const execution = createForeignExecution({
    ...{ id, request, clock: state.parts.clock },
    onEvent: (event) => postEvents(state, execution, [event]),
  });
  state.executions.set(id, execution);
  const recalled = line.recalled.get(id);
  if (recalled !== undefined) {
    line.recalled.delete(id);
    return execution.end({ type: 'cancelled', reason: recalled });
  }
  try {
    line.side.run(execution);
  } catch (error) {
    if (!isJobForgeError(error)) state.parts.log('error', 'an execution could not be translated', { error });
    const refusal = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
    execution.end({ type: 'failed', error: refusal.envelope });
  }
}

/** To stop an execution. */
interface Order {
  readonly executionId: string;
  readonly reason: CancelReason;
}

function stop({ executions }: State, { side, claimed, recalled }: Line, order: Order): void {
  const { executionId: id, reason } = order;
  if (claimed.has(id)) recalled.set(id, reason);
  const execution = executions.get(id);
  if (execution === undefined || execution.ended) return;
  execution.cancel(reason);
  side.cancel(id);
}

/** Signs of life go on as long as the runner gives them. */
function beat(state: State, line: Line, everyMs: number): void {
  const { clock } = state.parts;
  line.stopBeats = clock.after(everyMs, () => {
    if (line.closed) return;
    beat(state, line, everyMs);
    if (line.heard) post(state, line, heartbeatOf(state, line));
    line.heard = false;
    line.side.ping();
  });
}

function heartbeatOf({ parts, executions }: State, { runnerId = '', draining }: Line): RunnerFrame {
  const heartbeat = {
    ...({ runnerId, status: 'healthy', queuedJobs: 0, metrics: {} } as const),
    timestamp: new Date(parts.clock.now()).toISOString(),
    activeJobs: executions.size,
    instanceId: parts.instanceId,
    executions: [...executions.keys()],
    ...(draining && { draining }),
  };
  return { type: 'heartbeat', heartbeat };
}

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

function onReady(state: State, line: Line, { registration }: FrameOf<'ready'>): void {
  const { runnerId, leaseMs = 20_000, heartbeatIntervalMs } = registration;
  line.runnerId = runnerId;
  // Only now: one that is refused is not to be told, or believed, anything in the place of the one before.
  state.line = line;
  beat(state, line, Math.min(leaseMs / 4, heartbeatIntervalMs));
  for (const execution of state.executions.values()) postEvents(state, execution, execution.unacknowledged());
  line.side.onReady(registration);
}

function onOffers(state: State, line: Line, { executions }: FrameOf<'offers'>): void {
  // What it has already it goes on with.
  const anew = executions.filter(({ executionId, jobId }) => !state.executions.has(executionId ?? jobId));
  if (anew.length === 0) return;
  for (const request of anew) line.claimed.set(request.executionId ?? request.jobId, request);
  post(state, line, {
    type: 'accept',
    executions: anew.map(({ executionId, jobId, leaseToken }) => ({
      executionId: executionId ?? jobId,
      ...(leaseToken && { leaseToken }),
    })),
  });
}

/** It is not, or no longer, the runner's. */
function letGo(state: State, line: Line, id: string): void {
  line.claimed.delete(id);
  line.recalled.delete(id);
  stop(state, line, { executionId: id, reason: 'lease-lost' });
  state.executions.delete(id);
}

function onDirectives(state: State, line: Line, directives: FrameOf<'directives'>['directives']): void {
  for (const directive of directives) {
    if (directive.kind === 'cancel') stop(state, line, directive as Order & typeof directive);
    else if (directive.kind === 'drain') line.draining = true;
    // It registers by connecting.
    else if (directive.kind === 'reconnect' || directive.kind === 'register')
      line.side.end({ code: 1001, reason: 'connect again', error: undefined });
  }
}

function onConfirmed(state: State, line: Line, { executions }: FrameOf<'confirmed'>): void {
  for (const { executionId, code } of executions)
    if (code === undefined) begin(state, line, executionId);
    else letGo(state, line, executionId);
}

function onAcknowledged(state: State, line: Line, { executions }: FrameOf<'acknowledged'>): void {
  for (const { executionId, seq, code } of executions)
    if (code !== undefined) letGo(state, line, executionId);
    else if (state.executions.get(executionId)?.acknowledge(seq)) state.executions.delete(executionId);
}

function onFrame(state: State, line: Line, frame: ServerFrame): void {
  switch (frame.type) {
    case 'ready':
      return onReady(state, line, frame);
    case 'refused':
      line.refused = frame.error;
      return;
    case 'heartbeat':
      return onDirectives(state, line, frame.reply.directives);
    case 'offers':
      return onOffers(state, line, frame);
    case 'confirmed':
      return onConfirmed(state, line, frame);
    case 'acknowledged':
      return onAcknowledged(state, line, frame);
    case 'directives':
      return onDirectives(state, line, frame.directives);
  }
}

function connectionOf(state: State, line: () => Line, side: ForeignSide): RunnerConnection {
  return {
    send: (text) => onFrame(state, line(), ServerFrame.parse(JSON.parse(text))),
    bufferedBytes: side.bufferedBytes,
    ping: side.ping,
    pause: side.pause,
    resume: side.resume,
    close: (code, reason) => side.end({ code, reason, error: line().refused }),
    terminate: side.terminate,
  };
}

export function createForeignRunner(parts: DoorParts): ForeignRunner {
  const state: State = { parts, executions: new Map(), line: undefined, open: 0, leftAt: 0 };
  return {
    execution: (id) => state.executions.get(id),
    isIdle: () =>
      state.open === 0 && (state.executions.size === 0 || parts.clock.now() - state.leftAt > FORGOTTEN_MS),
    connect({ caller, announcement, side }) {
      const line: Line = {
        ...{
          side,
          claimed: new Map(),
          recalled: new Map(),
          frames: [],
          runnerId: undefined,
          refused: undefined,
        },
        ...{ heard: true, draining: false, closed: false, stopBeats: () => undefined },
        session: () => session,
      };
      state.open += 1;
      const session = parts.operations.connectRunner(
        connectionOf(state, () => line, side),
        caller,
      );
      const registration = RunnerRegistrationRequest.safeParse({
        ...announcement,
        instanceId: parts.instanceId,
        held: [...state.executions.keys()],
      });
      if (registration.success) post(state, line, { type: 'register', registration: registration.data });
      else
        side.end({ code: CLOSE_CODES.protocol, reason: 'the announcement is not valid', error: undefined });
      return {
        onHeard() {
          line.heard = true;
          session.onPong();
        },
        onDrain: () => session.onDrain(),
        drain() {
          line.draining = true;
          post(state, line, heartbeatOf(state, line));
        },
        onClose() {
          if (line.closed) return;
          line.closed = true;
          line.stopBeats();
          state.open -= 1;
          if (state.line === line) Object.assign(state, { line: undefined, leftAt: parts.clock.now() });
          session.onClose();
        },
      };
    },
  };
}
