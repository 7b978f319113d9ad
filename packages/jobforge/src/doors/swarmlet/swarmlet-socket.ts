import { DEFAULTS } from '@controlplane/contracts';
import {
  SWARMLET_CLOSE,
  SwarmletHello,
  SwarmletRunnerFrame,
  type SwarmletServerFrame,
} from '@controlplane/contracts/swarmlet';
import { isJobForgeError, JobForgeError } from '../../model/job-forge-error.js';
import type { RunnerConnection } from '../../model/runner-connection.js';
import type { Dialled, DoorParts, DoorSocket } from '../door.js';
import type { ForeignRunner } from '../foreign-runner.js';
import type { ForeignLine, ForeignSide } from '../foreign-side.js';
import type { ForeignRunners } from '../foreign-runners.js';
import type { ShellDialect } from '../shell-capability.js';
import { dialectOf, greeting } from './announcement.js';
import { identify, type Greeted } from './hello.js';
import type { SwarmletCommands } from './swarmlet-commands.js';
import { closeOf, closeOfError, isLost, type Close } from './words.js';

export interface SwarmletSocketParts extends DoorParts {
  readonly runners: ForeignRunners;
  readonly commands: SwarmletCommands;
}

interface State {
  readonly parts: SwarmletSocketParts;
  readonly socket: RunnerConnection;
  readonly from: Dialled;
  /** Frames that came before it was let in; undefined before the hello, and once it is. */
  early: SwarmletRunnerFrame[] | undefined;
  greeted: boolean;
  line: ForeignLine | undefined;
  runner: ForeignRunner | undefined;
  closed: boolean;
  stopTimer: () => void;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function shut({ socket }: State, { code, reason }: Close): void {
  socket.close(code, reason);
}

const say = ({ socket }: State, frame: SwarmletServerFrame): void => socket.send(JSON.stringify(frame));

function sideOf(state: State, runner: ForeignRunner, dialect: ShellDialect): ForeignSide {
  const { socket, parts } = state;
  return {
    bufferedBytes: socket.bufferedBytes,
    ping: socket.ping,
    pause: socket.pause,
    resume: socket.resume,
    terminate: socket.terminate,
    isKnownByWord: true,
    // It is told nothing: silence is how Swarmlet says that a hello was taken.
    onReady: () => letIn(state, runner),
    run: (execution) => parts.commands.run(execution, dialect, (frame) => say(state, frame)),
    cancel: (id) => say(state, { type: 'exec_cancel', job_id: id }),
    end: (farewell) => shut(state, closeOf(farewell)),
  };
}

function admit(
  state: State,
  { metadata, runner_name: name }: SwarmletHello,
  { caller, known }: Greeted,
): void {
  const { parts } = state;
  const announcement = greeting(metadata, name ?? undefined, known);
  // Who has proved to be one is that one, whatever it says of itself.
  const runner = parts.runners.of(
    caller.kind === 'runner' ? caller.runnerId : `${announcement.name}\n${announcement.machineId}`,
  );
  const side = sideOf(state, runner, dialectOf(metadata));
  state.line = runner.connect({ caller, announcement, side });
  state.socket.resume();
}

/** What it says counts from now on. */
function letIn(state: State, runner: ForeignRunner): void {
  state.runner = runner;
  const early = state.early ?? [];
  state.early = undefined;
  for (const frame of early) onFrame(state, frame);
}

/** Why a first frame is not taken, or the frame; in the order in which Swarmlet looks. */
function helloIn({ parts }: State, said: unknown): SwarmletHello | string {
  const { type } = Object(said) as { readonly type?: unknown };
  if (type !== 'hello')
    return SwarmletRunnerFrame.safeParse(said).success ? 'Expected hello message' : 'Invalid hello message';
  const hello = parts.readAnnounced(SwarmletHello, said);
  if (hello.secret === '') return 'Missing secret';
  const { runner_id: id = null, runner_name: name = null } = hello;
  return id === null && name === null ? 'Missing runner_id or runner_name' : hello;
}

function readHello(state: State, said: unknown): SwarmletHello | Close {
  try {
    const hello = helloIn(state, said);
    return typeof hello === 'string' ? { code: SWARMLET_CLOSE.policy, reason: hello } : hello;
  } catch (error) {
    return closeOfError((isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR')).envelope);
  }
}

function greet(state: State, said: unknown): void {
  state.greeted = true;
  state.stopTimer();
  const frame = readHello(state, said);
  if ('code' in frame) return shut(state, frame);
  state.early = [];
  state.socket.pause();
  identify(state.parts, frame, state.from.address).then(
    (greeted) => {
      if (state.closed) return;
      state.from.onProved();
      admit(state, frame, greeted);
    },
    (error: unknown) => {
      if (!isJobForgeError(error)) state.parts.log('error', 'a hello could not be answered', { error });
      const { envelope } = isJobForgeError(error) ? error : new JobForgeError('INTERNAL_ERROR');
      state.socket.resume();
      shut(state, closeOfError(envelope));
    },
  );
}

function onFrame(state: State, frame: SwarmletRunnerFrame): void {
  if (frame.type === 'hello' || frame.type === 'heartbeat') return;
  state.line?.onWordOf(frame.job_id);
  if (frame.type === 'exec_error' && isLost(frame.error)) return state.line?.onLost(frame.job_id);
  const execution = state.runner?.execution(frame.job_id);
  const isOwn = state.parts.commands.onReport(frame, execution);
  // What is not its own any more it runs in vain.
  if (!isOwn && frame.type === 'exec_chunk') say(state, { type: 'exec_cancel', job_id: frame.job_id });
}

/** Takes a socket over, from its first frame to its end. */
export function openSwarmletSocket(
  parts: SwarmletSocketParts,
  socket: RunnerConnection,
  from: Dialled,
): DoorSocket {
  const state: State = {
    ...{ parts, socket, from, early: undefined, greeted: false },
    ...{ line: undefined, runner: undefined, closed: false },
    stopTimer: parts.clock.after(DEFAULTS.handshakeMs, () =>
      shut(state, { code: SWARMLET_CLOSE.policy, reason: 'No hello message in time' }),
    ),
  };
  return {
    onText(text) {
      if (state.closed) return;
      const said = read(text);
      if (!state.greeted) return greet(state, said);
      state.line?.onHeard();
      const frame = SwarmletRunnerFrame.safeParse(said).data;
      if (frame === undefined) return parts.log('warn', 'a frame that is not understood is ignored');
      if (state.early !== undefined) state.early.push(frame);
      else onFrame(state, frame);
    },
    onPong: () => state.line?.onHeard(),
    onDrain: () => state.line?.onDrain(),
    onClose() {
      state.closed = true;
      state.stopTimer();
      state.line?.onClose();
    },
  };
}
