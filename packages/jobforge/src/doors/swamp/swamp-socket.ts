import { randomBytes } from 'node:crypto';
import { DEFAULTS, type RunnerRegistrationResponse } from '@controlplane/contracts';
import {
  SWAMP_METHODS,
  SWAMP_PROTOCOL_VERSION,
  SwampEnroll,
  SwampFrame,
  type SwampEnrolled,
  type SwampSession,
} from '@controlplane/contracts/swamp';
import { isJobForgeError, JobForgeError } from '../../model/job-forge-error.js';
import type { Caller } from '../../model/caller.js';
import type { RunnerConnection } from '../../model/runner-connection.js';
import type { Dialled, DoorParts, DoorSocket } from '../door.js';
import { createForeignRunner } from '../foreign-runner.js';
import type { Farewell, ForeignLine, ForeignSide } from '../foreign-side.js';
import type { DataDesk } from './data-desk.js';
import { knownRunner } from '../known-runner.js';
import { announcementOf, dialectOf, instanceOf, refusedBy, type Refused } from './enrollment.js';
import { createSwampDispatches, type SwampDispatches } from './swamp-dispatches.js';

export interface SwampSocketParts extends DoorParts {
  readonly desk: DataDesk;
}

type Asked = Extract<SwampFrame, { type: 'rpc.request' }>;

interface State {
  readonly parts: SwampSocketParts;
  readonly socket: RunnerConnection;
  readonly from: Dialled;
  /** Its enrollment, until that is answered; `done` from then on. */
  enrolling: { readonly id: string; readonly token: string } | 'done' | undefined;
  line: ForeignLine | undefined;
  dispatches: SwampDispatches | undefined;
  closed: boolean;
  stopTimer: () => void;
}

/** Milliseconds for which a session is good; its runner renews it before. */
const SESSION_MS = 900_000;

const say = ({ socket }: State, frame: SwampFrame): void => socket.send(JSON.stringify(frame));

const fail = (state: State, id: string, error: Refused): void => say(state, { type: 'rpc.error', id, error });

/** For the runner's own bookkeeping: what it writes is proved for each dispatch. */
const newSession = ({ parts }: State): SwampSession => ({
  sessionCredential: randomBytes(32).toString('hex'),
  sessionExpiresAtMs: parts.clock.now() + SESSION_MS,
});

/** The enrollment is not taken: its runner is told why, and closes or is closed. */
function turnAway(state: State, refused: Refused): void {
  const { enrolling } = state;
  if (enrolling !== undefined && enrolling !== 'done') fail(state, enrolling.id, refused);
  state.socket.close(1000, 'not enrolled');
}

function end(state: State, { code, reason, error }: Farewell): void {
  const { enrolling } = state;
  if (error !== undefined && enrolling !== undefined && enrolling !== 'done')
    return turnAway(state, refusedBy(error, enrolling.token));
  // It connects anew, and is told then what is to be said of its token.
  state.socket.close(code >= 4000 ? 1001 : code, error?.message ?? reason);
}

function onReady(state: State, { runnerId }: RunnerRegistrationResponse): void {
  const { enrolling } = state;
  if (enrolling === undefined || enrolling === 'done') return;
  state.enrolling = 'done';
  const result: SwampEnrolled = {
    ...newSession(state),
    workerId: runnerId,
    protocolVersion: SWAMP_PROTOCOL_VERSION,
  };
  say(state, { type: 'rpc.response', id: enrolling.id, result });
}

function sideOf(state: State, dispatches: SwampDispatches): ForeignSide {
  const { bufferedBytes, ping, pause, resume, terminate } = state.socket;
  return {
    ...{ bufferedBytes, ping, pause, resume, terminate },
    onReady: (registration) => onReady(state, registration),
    run: dispatches.run,
    cancel: dispatches.cancel,
    end: (farewell) => end(state, farewell),
  };
}

async function nameOf({ parts }: State, caller: Caller): Promise<string | undefined> {
  if (caller.kind !== 'runner') return undefined;
  // One that was away until it was forgotten comes back as what it says that it is.
  return (await knownRunner(parts, caller.runnerId))?.name;
}

async function enroll(state: State, asked: SwampEnroll): Promise<void> {
  const { parts } = state;
  state.socket.pause();
  const caller = await parts.gate.identify(asked.token, state.from.address);
  if (caller.kind === 'api') throw new JobForgeError('ROLE_REQUIRED');
  const name = await nameOf(state, caller);
  if (state.closed) return;
  state.from.onProved();
  state.socket.resume();
  const send = (frame: SwampFrame): void => say(state, frame);
  const dispatches = createSwampDispatches({ desk: parts.desk, dialect: dialectOf(asked), send });
  const runner = createForeignRunner({ ...parts, instanceId: instanceOf(asked) });
  state.dispatches = dispatches;
  state.line = runner.connect({
    caller,
    announcement: announcementOf(asked, name),
    side: sideOf(state, dispatches),
  });
}

function readEnroll({ parts }: State, params: unknown): SwampEnroll | Refused {
  try {
    return parts.readAnnounced(SwampEnroll, params);
  } catch (error) {
    return refusedBy((isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR')).envelope, '');
  }
}

/** In the order in which swamp looks: schema, version, shape of the token, the token itself. */
function onEnroll(state: State, { id, params }: Asked): void {
  if (state.enrolling !== undefined)
    return fail(state, id, { code: 'handler_failed', message: 'this connection is enrolled already' });
  state.enrolling = { id, token: '' };
  state.stopTimer();
  const asked = readEnroll(state, params);
  if ('code' in asked) return turnAway(state, asked);
  const { protocolVersion, token } = asked;
  state.enrolling = { id, token };
  if (protocolVersion !== SWAMP_PROTOCOL_VERSION)
    return turnAway(state, {
      code: 'protocol_mismatch',
      message: `Worker protocol version ${protocolVersion} does not match orchestrator version ${SWAMP_PROTOCOL_VERSION}`,
    });
  if (!token.includes('.'))
    return turnAway(state, { code: 'invalid_token', message: 'Invalid enrollment token' });
  enroll(state, asked).catch((error: unknown) => {
    if (!isJobForgeError(error)) state.parts.log('error', 'an enrollment could not be answered', { error });
    const { envelope } = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
    turnAway(state, refusedBy(envelope, token));
  });
}

function onRequest(state: State, frame: Asked): void {
  const { id, method } = frame;
  if (method === SWAMP_METHODS.enroll) return onEnroll(state, frame);
  if (state.enrolling !== 'done') return fail(state, id, { code: 'handler_failed', message: 'not enrolled' });
  if (method === SWAMP_METHODS.refresh)
    return say(state, { type: 'rpc.response', id, result: newSession(state) });
  if (method === SWAMP_METHODS.drain) {
    state.line?.drain();
    return say(state, { type: 'rpc.response', id, result: {} });
  }
  fail(state, id, { code: 'unknown_method', message: `JobForge does not serve ${method}` });
}

function read(text: string): SwampFrame | undefined {
  try {
    return SwampFrame.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

/** Takes a socket over, from its enrollment to its end. */
export function openSwampSocket(
  parts: SwampSocketParts,
  socket: RunnerConnection,
  from: Dialled,
): DoorSocket {
  const state: State = {
    ...{
      parts,
      socket,
      from,
      enrolling: undefined,
      line: undefined,
      dispatches: undefined,
      closed: false,
    },
    stopTimer: parts.clock.after(DEFAULTS.handshakeMs, () => socket.close(1008, 'not enrolled in time')),
  };
  return {
    onText(text) {
      if (state.closed) return;
      state.line?.onHeard();
      const frame = read(text);
      if (frame === undefined) return parts.log('warn', 'a frame that is not understood is ignored');
      if (frame.type === 'rpc.request') onRequest(state, frame);
      else state.dispatches?.onFrame(frame);
    },
    onPong: () => state.line?.onHeard(),
    onDrain: () => state.line?.onDrain(),
    onClose() {
      state.closed = true;
      state.stopTimer();
      state.line?.onClose();
      state.dispatches?.close();
    },
  };
}
