import {
  RunnerHeartbeat,
  RunnerRegistrationRequest,
  type RunnerFrame,
  type RunnerHeartbeatResponse,
  type ServerFrame,
} from '@controlplane/contracts';
import type { Operations } from '../model/operations.js';
import type { RunnerConnection, RunnerSession } from '../model/runner-connection.js';
import {
  createModelHoldings,
  MODEL_CAPABILITIES,
  type HeldExecution,
  type ModelHoldings,
  type ModelRunnerListener,
} from './model-holdings.js';

const MODEL_SLOTS = 2;

/** A runner that dials in, as the contract wants it, without socket or time of its own. */
export interface ModelRunner {
  readonly held: ReadonlyMap<string, HeldExecution>;
  /** Reads nothing and answers nothing from now on, although it is connected. */
  hush(): void;
  listen(): void;
  connect(operations: Operations): void;
  /** Its network is gone; `told` says whether the other side hears of that. */
  cut(told: boolean): void;
  /** The process dies, and another one is there in its place. */
  crash(told: boolean): void;
  /** Acts on all that has arrived. */
  read(): void;
  beat(now: number): void;
  accept(execution: HeldExecution): void;
  tell(execution: HeldExecution, event: { readonly type: string } & Record<string, unknown>): void;
}

interface Connection {
  readonly session: RunnerSession;
  readonly inbox: ServerFrame[];
  pinged: boolean;
  closed: boolean;
  runnerId: string | undefined;
}

/** The state of one runner: its process, and the connection that it has. */
interface Model {
  readonly name: string;
  readonly holdings: ModelHoldings;
  process: number;
  connection: Connection | undefined;
  mute: boolean;
}

function send({ connection }: Model, frame: RunnerFrame): void {
  if (connection === undefined || connection.closed) return;
  connection.session.onFrame(frame);
}

function sendEvents(model: Model, { executionId, leaseToken, unacknowledged }: HeldExecution): void {
  if (model.connection?.runnerId === undefined || unacknowledged.length === 0) return;
  send(model, { type: 'events', executions: [{ executionId, leaseToken, events: unacknowledged }] });
}

function cut(model: Model, told: boolean): void {
  const lost = model.connection;
  model.connection = undefined;
  model.mute = false;
  if (told) lost?.session.onClose();
}

function obey({ holdings }: Model, directives: RunnerHeartbeatResponse['directives']): void {
  for (const directive of directives)
    if (directive.kind === 'cancel' && 'executionId' in directive)
      holdings.cancel(String(directive.executionId));
}

function onFrame(model: Model, frame: ServerFrame): void {
  const { holdings, connection } = model;
  switch (frame.type) {
    case 'ready':
      if (connection !== undefined) connection.runnerId = frame.registration.runnerId;
      return holdings.begun().forEach((execution) => sendEvents(model, execution));
    case 'refused':
      return cut(model, true);
    case 'offers':
      for (const request of frame.executions) {
        const known = holdings.offer(request);
        if (known !== undefined) sendEvents(model, known);
      }
      return;
    case 'confirmed':
      return frame.executions.forEach(({ executionId, code }) => holdings.confirm(executionId, code));
    case 'acknowledged':
      return frame.executions.forEach(({ executionId, ...said }) => holdings.acknowledge(executionId, said));
    case 'heartbeat':
      return obey(model, frame.reply.directives);
    case 'directives':
      return obey(model, frame.directives);
  }
}

function instanceOf({ name, process }: Model): string {
  return `${name}-${process}`;
}

/** Parsed once: to read it takes longer than what comes of it. */
const REGISTRATION = RunnerRegistrationRequest.parse({
  ...{ name: 'model', version: '1.0.0', contractVersion: '1.0.0' },
  ...{ capabilities: MODEL_CAPABILITIES, maxConcurrency: MODEL_SLOTS, delivery: { kind: 'websocket' } },
});

function registrationOf(model: Model): RunnerRegistrationRequest {
  const { name, holdings } = model;
  return {
    ...{ ...REGISTRATION, name, machineId: `machine-${name}`, instanceId: instanceOf(model) },
    held: holdings.begun().map(({ executionId }) => executionId),
  };
}

function openConnection(operations: Operations): Connection {
  const inbox: ServerFrame[] = [];
  const marks = { pinged: false, closed: false };
  const socket: RunnerConnection = {
    send: (frame) => void inbox.push(JSON.parse(frame) as ServerFrame),
    bufferedBytes: () => 0,
    ping: () => void (marks.pinged = true),
    pause: () => undefined,
    resume: () => undefined,
    close: () => void (marks.closed = true),
    terminate: () => void (marks.closed = true),
  };
  const session = operations.connectRunner(socket);
  return Object.assign(marks, { session, inbox, runnerId: undefined });
}

function read(model: Model): void {
  const { connection } = model;
  if (connection === undefined || model.mute) return;
  const { inbox, session } = connection;
  if (connection.pinged) session.onPong();
  connection.pinged = false;
  for (let frame = inbox.shift(); frame !== undefined; frame = inbox.shift()) onFrame(model, frame);
  if (connection.closed && model.connection === connection) cut(model, true);
}

function beat(model: Model, now: number): void {
  const { connection, holdings } = model;
  if (connection?.runnerId === undefined || model.mute) return;
  const executions = holdings.begun().map(({ executionId }) => executionId);
  const heartbeat = RunnerHeartbeat.parse({
    ...{ runnerId: connection.runnerId, timestamp: new Date(now).toISOString(), status: 'healthy' },
    ...{ instanceId: instanceOf(model), executions },
  });
  send(model, { type: 'heartbeat', heartbeat });
}

/** Makes a runner of a name; it is not connected. */
export function createModelRunner(name: string, listener: ModelRunnerListener): ModelRunner {
  const holdings = createModelHoldings(listener);
  const model: Model = { name, holdings, process: 1, connection: undefined, mute: false };
  return {
    held: holdings.all,
    hush: () => void (model.mute = true),
    listen: () => void (model.mute = false),
    connect(operations) {
      if (model.connection !== undefined) return;
      model.connection = openConnection(operations);
      holdings.voidClaims();
      send(model, { type: 'register', registration: registrationOf(model) });
    },
    cut: (told) => cut(model, told),
    crash(told) {
      cut(model, told);
      holdings.all.clear();
      model.process += 1;
    },
    read: () => read(model),
    beat: (now) => beat(model, now),
    accept(execution) {
      if (execution.phase !== 'offered' || model.connection?.runnerId === undefined) return;
      execution.phase = 'claimed';
      const { executionId, leaseToken } = execution;
      send(model, { type: 'accept', executions: [{ executionId, leaseToken }] });
    },
    tell(execution, event) {
      if (execution.phase !== 'running') return;
      holdings.add(execution, event);
      sendEvents(model, execution);
    },
  };
}
