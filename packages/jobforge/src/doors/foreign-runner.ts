import { randomUUID } from 'node:crypto';
import { RunnerRegistrationRequest, ServerFrame } from '@controlplane/contracts';
import type { Caller } from '../model/caller.js';
import { isJobForgeError, JobForgeError } from '../model/job-forge-error.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import type { DoorParts } from './door.js';
import { createFlow } from './flow.js';
import type { ForeignExecution } from './foreign-execution.js';
import { heartbeatOf, letGo, onServerFrame, post, type Line, type RunnerState } from './foreign-line.js';
import { createRest, NO_ROOM_BYTES } from './rest.js';
import type { Announcement, ForeignLine, ForeignSide } from './foreign-side.js';

/** How a runner comes. */
export interface Coming {
  readonly caller: Caller;
  readonly announcement: Announcement;
  readonly side: ForeignSide;
}

/** A runner of another kind, from one of its connections to the next. */
export interface ForeignRunner {
  /** What it runs, by id; undefined where it is over, or was never its own. */
  execution(id: string): ForeignExecution | undefined;
  /** The last one takes the place of those before. */
  connect(from: Coming): ForeignLine;
  /** Whether it has no connection, and nothing that it could go on with. */
  isIdle(): boolean;
}

/** What a runner held that has been away for so long is not its own any more, whatever it says. */
const FORGOTTEN_MS = 600_000;

function connectionOf(state: RunnerState, line: () => Line): RunnerConnection {
  const { side } = line();
  return {
    send: (text) => onServerFrame(state, line(), ServerFrame.parse(JSON.parse(text))),
    bufferedBytes: () => (state.rest.isOn() ? NO_ROOM_BYTES : side.bufferedBytes()),
    ping: side.ping,
    pause: () => line().flow.hold(true),
    resume: () => line().flow.hold(false),
    close: (code, reason) => side.end({ code, reason, error: line().refused }),
    terminate: side.terminate,
  };
}

/** Announces it, or says why that cannot be. */
function announce(state: RunnerState, line: Line, announcement: Announcement): void {
  try {
    const registration = state.parts.readAnnounced(RunnerRegistrationRequest, {
      ...announcement,
      instanceId: state.instanceId,
      held: [...state.executions.keys()],
    });
    post(state, line, { type: 'register', registration });
  } catch (error) {
    const { envelope } = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
    line.side.end({ code: 1008, reason: envelope.message, error: envelope });
  }
}

function openLine(state: RunnerState, { caller, announcement, side }: Coming, onSilence: () => void): Line {
  const nothing = (): void => undefined;
  const line: Line = {
    ...{ side, flow: createFlow(side), session: () => session, onSilence },
    ...{ claimed: new Map(), recalled: new Map(), unheard: new Set(), frames: [] },
    ...{ runnerId: undefined, refused: undefined, heard: true, draining: false, closed: false },
    ...{ stopBeats: nothing, stopDoubt: nothing },
  };
  state.open += 1;
  const session = state.parts.operations.connectRunner(
    connectionOf(state, () => line),
    caller,
  );
  announce(state, line, announcement);
  return line;
}

function closeLine(state: RunnerState, line: Line): void {
  if (line.closed) return;
  line.closed = true;
  line.stopBeats();
  line.stopDoubt();
  line.flow.hold(false);
  state.open -= 1;
  if (state.line === line) Object.assign(state, { line: undefined, leftAt: state.parts.clock.now() });
  line.session().onClose();
}

/** A connection from outside, and the line that it has now. */
function connect(state: RunnerState, from: Coming): ForeignLine {
  let line = openLine(state, from, startAnew);
  /** It is another process than the one that held what it says nothing of: JobForge decides what becomes of that. */
  function startAnew(lost: Iterable<string> = line.unheard): void {
    for (const id of lost) letGo(state, line, id);
    const { draining } = line;
    closeLine(state, line);
    state.instanceId = `${state.parts.instanceId}.${randomUUID().slice(0, 8)}`;
    line = openLine(state, from, startAnew);
    line.draining = draining;
  }
  return {
    onHeard() {
      line.heard = true;
      line.session().onPong();
    },
    onWordOf: (id) => void line.unheard.delete(id),
    onLost(id) {
      if (state.executions.has(id) && line.runnerId !== undefined) startAnew([id]);
    },
    onDrain: () => line.session().onDrain(),
    drain() {
      line.draining = true;
      post(state, line, heartbeatOf(state, line));
    },
    onClose: () => closeLine(state, line),
  };
}

export function createForeignRunner(parts: DoorParts): ForeignRunner {
  const state: RunnerState = {
    ...{ parts, executions: new Map(), instanceId: parts.instanceId, line: undefined, flow: undefined },
    ...{ owedBytes: 0, isFull: false, open: 0, leftAt: 0 },
    rest: createRest(parts.clock, () => state.line?.session().onDrain()),
  };
  return {
    execution: (id) => state.executions.get(id),
    isIdle: () =>
      state.open === 0 && (state.executions.size === 0 || parts.clock.now() - state.leftAt > FORGOTTEN_MS),
    connect: (from) => connect(state, from),
  };
}
