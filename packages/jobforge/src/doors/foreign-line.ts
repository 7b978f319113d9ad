import type {
  CancelReason,
  ErrorEnvelope,
  ExecutionEvent,
  RunnerExecutionRequest,
  RunnerFrame,
  ServerFrame,
} from '@controlplane/contracts';
import type { RunnerSession } from '../model/runner-connection.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { DoorParts } from './door.js';
import { isOverfull, type Flow } from './flow.js';
import { createForeignExecution, type CarriedExecution } from './foreign-execution.js';
import type { ForeignSide } from './foreign-side.js';
import type { Rest } from './rest.js';

/** One connection of a runner, as JobForge has it. */
export interface Line {
  readonly side: ForeignSide;
  readonly flow: Flow;
  readonly session: () => RunnerSession;
  /** Offers that were claimed; they begin once that is confirmed. */
  readonly claimed: Map<string, RunnerExecutionRequest>;
  /** Those of them that were cancelled meanwhile. */
  readonly recalled: Map<string, CancelReason>;
  /** What it held before this connection, and has said nothing of over it. */
  readonly unheard: Set<string>;
  readonly frames: RunnerFrame[];
  runnerId: string | undefined;
  refused: ErrorEnvelope | undefined;
  heard: boolean;
  draining: boolean;
  closed: boolean;
  stopBeats: () => void;
  stopDoubt: () => void;
  /** What it has said nothing of is not its own any more. */
  readonly onSilence: () => void;
}

/** What is known of a runner, whatever becomes of its connections. */
export interface RunnerState {
  readonly parts: DoorParts;
  readonly executions: Map<string, CarriedExecution>;
  /** The process that JobForge takes it for. */
  instanceId: string;
  /** The one that JobForge has taken in. */
  line: Line | undefined;
  /** While it takes nothing. */
  readonly rest: Rest;
  /** Of the last one that was. */
  flow: Flow | undefined;
  owedBytes: number;
  isFull: boolean;
  /** Connections that are not closed, taken in or not. */
  open: number;
  /** When the last line was lost. */
  leftAt: number;
}

/** What it told is more, or less, than what was written of it. */
function owe(state: RunnerState, bytes: number): void {
  state.owedBytes += bytes;
  const isFull = isOverfull(state.owedBytes, state.isFull);
  if (isFull === state.isFull) return;
  state.isFull = isFull;
  state.flow?.fill(isFull);
}

function drop(state: RunnerState, id: string): void {
  const execution = state.executions.get(id);
  if (execution === undefined) return;
  state.executions.delete(id);
  owe(state, -execution.owedBytes());
}

/** Says something to JobForge once it has finished what it is saying. */
export function post(state: RunnerState, line: Line, frame: RunnerFrame): void {
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

function postEvents(
  state: RunnerState,
  execution: CarriedExecution,
  events: readonly ExecutionEvent[],
): void {
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

/** Whether its runner took an execution of which this is told. */
function hasTaken(event: ExecutionEvent): boolean {
  if (event.type === 'failed') return event.error.code !== 'RUNNER_SHUTDOWN';
  return event.type !== 'cancelled';
}

function begin(state: RunnerState, line: Line, id: string): void {
  const request = line.claimed.get(id);
  line.claimed.delete(id);
  if (request === undefined) return;
  const execution = createForeignExecution({
    ...{ id, request, clock: state.parts.clock },
    onEvent: (event) => {
      if (hasTaken(event)) state.rest.forget();
      postEvents(state, execution, [event]);
    },
    onNotNow: state.rest.begin,
    // Of what is not its own any more nothing is owed.
    onOwed: (bytes) => {
      if (state.executions.get(id) === execution) owe(state, bytes);
    },
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

function stop({ executions }: RunnerState, { side, claimed, recalled }: Line, order: Order): void {
  const { executionId: id, reason } = order;
  if (claimed.has(id)) recalled.set(id, reason);
  const execution = executions.get(id);
  if (execution === undefined || execution.ended) return;
  execution.cancel(reason);
  side.cancel(id);
}

/** Signs of life go on as long as the runner gives them. */
function beat(state: RunnerState, line: Line, everyMs: number): void {
  const { clock } = state.parts;
  line.stopBeats = clock.after(everyMs, () => {
    if (line.closed) return;
    beat(state, line, everyMs);
    // Whoever is not listened to cannot be heard.
    const isPaused = line.flow.isPaused();
    if (isPaused) line.session().onPong();
    if (line.heard || isPaused) post(state, line, heartbeatOf(state, line));
    line.heard = isPaused;
    line.side.ping();
  });
}

/** Of a lease. */
const DOUBT_STEPS = 4;

/** For the time of a lease it is listened to: what it has said nothing of by then it does not have. */
function doubt(state: RunnerState, line: Line, leaseMs: number): void {
  let steps = DOUBT_STEPS;
  const step = (): void => {
    line.stopDoubt = state.parts.clock.after(leaseMs / DOUBT_STEPS, () => {
      if (line.unheard.size === 0 || line.closed) return;
      steps = line.flow.isPaused() ? DOUBT_STEPS : steps - 1;
      if (steps === 0) line.onSilence();
      else step();
    });
  };
  step();
}

export function heartbeatOf(
  { parts, executions, instanceId }: RunnerState,
  { runnerId = '', draining }: Line,
): RunnerFrame {
  const heartbeat = {
    ...({ runnerId, status: 'healthy', queuedJobs: 0, metrics: {} } as const),
    timestamp: new Date(parts.clock.now()).toISOString(),
    activeJobs: executions.size,
    instanceId,
    executions: [...executions.keys()],
    ...(draining && { draining }),
  };
  return { type: 'heartbeat', heartbeat };
}

type FrameOf<Type extends ServerFrame['type']> = Extract<ServerFrame, { type: Type }>;

function onReady(state: RunnerState, line: Line, { registration }: FrameOf<'ready'>): void {
  const { runnerId, leaseMs = 20_000, heartbeatIntervalMs } = registration;
  line.runnerId = runnerId;
  // Only now: one that is refused is not to be told, or believed, anything in the place of the one before.
  Object.assign(state, { line, flow: line.flow });
  line.flow.fill(state.isFull);
  beat(state, line, Math.min(leaseMs / 4, heartbeatIntervalMs));
  for (const execution of state.executions.values()) {
    postEvents(state, execution, execution.unacknowledged());
    if (line.side.isKnownByWord && !execution.ended) line.unheard.add(execution.id);
  }
  if (line.unheard.size > 0) doubt(state, line, leaseMs);
  line.side.onReady(registration);
}

function onOffers(state: RunnerState, line: Line, { executions }: FrameOf<'offers'>): void {
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
export function letGo(state: RunnerState, line: Line, id: string): void {
  line.claimed.delete(id);
  line.recalled.delete(id);
  stop(state, line, { executionId: id, reason: 'lease-lost' });
  drop(state, id);
}

function onDirectives(state: RunnerState, line: Line, directives: FrameOf<'directives'>['directives']): void {
  for (const directive of directives) {
    if (directive.kind === 'cancel') stop(state, line, directive as Order & typeof directive);
    else if (directive.kind === 'drain') line.draining = true;
    // It registers by connecting.
    else if (directive.kind === 'reconnect' || directive.kind === 'register')
      line.side.end({ code: 1001, reason: 'connect again', error: undefined });
  }
}

function onConfirmed(state: RunnerState, line: Line, { executions }: FrameOf<'confirmed'>): void {
  for (const { executionId, code } of executions)
    if (code === undefined) begin(state, line, executionId);
    else letGo(state, line, executionId);
}

function onAcknowledged(state: RunnerState, line: Line, { executions }: FrameOf<'acknowledged'>): void {
  for (const { executionId, seq, code } of executions)
    if (code !== undefined) letGo(state, line, executionId);
    else if (state.executions.get(executionId)?.acknowledge(seq)) drop(state, executionId);
}

/** What JobForge says. */
export function onServerFrame(state: RunnerState, line: Line, frame: ServerFrame): void {
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
