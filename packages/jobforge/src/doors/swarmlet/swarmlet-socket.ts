import { DEFAULTS } from '@controlplane/contracts';
import {
  SWARMLET_CLOSE,
  SwarmletRunnerFrame,
  type SwarmletHello,
  type SwarmletServerFrame,
} from '@controlplane/contracts/swarmlet';
import { isJobForgeError, JobForgeError } from '../../model/job-forge-error.js';
import type { RunnerConnection } from '../../model/runner-connection.js';
import type { DoorParts, DoorSocket } from '../door.js';
import type { ForeignRunner } from '../foreign-runner.js';
import type { ForeignLine, ForeignSide } from '../foreign-side.js';
import type { ForeignRunners } from '../foreign-runners.js';
import type { ShellDialect } from '../shell-capability.js';
import { dialectOf, greeting } from './announcement.js';
import { identify, type Greeted } from './hello.js';
import type { SwarmletCommands } from './swarmlet-commands.js';
import { closeOf, closeOfError, type Close } from './words.js';

export interface SwarmletSocketParts extends DoorParts {
  readonly runners: ForeignRunners;
  readonly commands: SwarmletCommands;
}

interface State {
  readonly parts: SwarmletSocketParts;
  readonly socket: RunnerConnection;
  readonly address: string;
  /** Frames that came before it was let in; undefined before the hello, and once it is. */
  early: SwarmletRunnerFrame[] | undefined;
  greeted: boolean;
  line: ForeignLine | undefined;
  runner: ForeignRunner | undefined;
  closed: boolean;
  stopTimer: () => void;
}

function read(text: string): SwarmletRunnerFrame | undefined {
  try {
    return SwarmletRunnerFrame.safeParse(JSON.parse(text)).data;
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

/** Why a first frame is not taken; in the order in which Swarmlet looks. */
function refusalOf(frame: SwarmletRunnerFrame | undefined): string | undefined {
  if (frame === undefined) return 'Invalid hello message';
  if (frame.type !== 'hello') return 'Expected hello message';
  if (frame.secret === '') return 'Missing secret';
  const { runner_id: id = null, runner_name: name = null } = frame;
  return id === null && name === null ? 'Missing runner_id or runner_name' : undefined;
}

function greet(state: State, frame: SwarmletRunnerFrame | undefined): void {
  state.greeted = true;
  state.stopTimer();
  const reason = refusalOf(frame);
  if (frame?.type !== 'hello' || reason !== undefined)
    return shut(state, { code: SWARMLET_CLOSE.policy, reason: reason ?? 'Expected hello message' });
  state.early = [];
  state.socket.pause();
  identify(state.parts, frame, state.address).then(
    (greeted) => {
      if (!state.closed) admit(state, frame, greeted);
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
  const execution = state.runner?.execution(frame.job_id);
  const isOwn = state.parts.commands.onReport(frame, execution);
  // What is not its own any more it runs in vain.
  if (!isOwn && frame.type === 'exec_chunk') say(state, { type: 'exec_cancel', job_id: frame.job_id });
}

/** Takes a socket over, from its first frame to its end. */
export function openSwarmletSocket(
  parts: SwarmletSocketParts,
  socket: RunnerConnection,
  address: string,
): DoorSocket {
  const state: State = {
    ...{ parts, socket, address, early: undefined, greeted: false },
    ...{ line: undefined, runner: undefined, closed: false },
    stopTimer: parts.clock.after(DEFAULTS.handshakeMs, () =>
      shut(state, { code: SWARMLET_CLOSE.policy, reason: 'No hello message in time' }),
    ),
  };
  return {
    onText(text) {
      if (state.closed) return;
      const frame = read(text);
      if (!state.greeted) return greet(state, frame);
      state.line?.onHeard();
      if (frame === undefined)
        return parts.log('warn', 'a frame that is not understood is ignored', { door: 'swarmlet' });
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
