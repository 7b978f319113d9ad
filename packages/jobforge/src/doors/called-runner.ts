import type { Caller } from '../model/caller.js';
import type { DoorParts } from './door.js';
import { createForeignRunner, type ForeignRunner } from './foreign-runner.js';
import {
  refusalOf,
  type Announcement,
  type Farewell,
  type ForeignLine,
  type ForeignSide,
} from './foreign-side.js';

/** How a runner calls that has proved who it is. */
export interface Call {
  readonly caller: Caller;
  readonly announcement: Announcement;
  /** Called as soon as it is let in, again with each call: before that nothing of what it says holds. */
  readonly onAdmitted?: () => void;
}

/** A runner that opens no connection of its own: its calls, one after the other, stand for one. */
export interface CalledRunner extends Pick<ForeignRunner, 'execution' | 'isIdle'> {
  /** How long an execution is kept without a sign of life. */
  leaseMs(): number;
  /** Resolves once it is let in; refuses as a registration does. */
  call(from: Call): Promise<void>;
  /** A sign of life that is none of its calls. */
  onHeard(): void;
  /** Of its calls that make no line. */
  onSeen(): void;
  /** There is room for something. */
  onDrain(): void;
  /** It goes, or cannot be reached: nothing is offered to it until it calls again. */
  leave(): void;
}

export interface CalledRunnerOptions extends DoorParts {
  /** Milliseconds for which a call is a sign of life. */
  readonly freshMs: number;
  readonly side: Pick<ForeignSide, 'bufferedBytes' | 'pause' | 'resume' | 'run' | 'cancel'>;
  /** Whether it registers by its calls alone; one that registers beside them has its line closed as if it were removed. */
  readonly isRegisteredByCalls: boolean;
  /** It was removed, or away for so long that JobForge has given up what it ran: nothing more is to be heard of that. */
  readonly onGone: () => void;
}

interface State extends CalledRunnerOptions {
  readonly runner: ForeignRunner;
  seenAt: number;
  leaseMs: number;
  /** How it announced itself when its line was made; nothing where that was refused. */
  announced: string;
  /** The one that was taken in. */
  line: ForeignLine | undefined;
  isJoining: boolean;
  /** Settles when its line is taken, or refused. */
  joining: Promise<void>;
  stopWaiting: () => void;
}

/** Where JobForge names none. */
const LEASE_MS = 20_000;
/** By then JobForge has given up what it ran. */
const AWAY_LEASES = 2;
/** What a link is closed with whose runner was removed. */
const REMOVED = 1000;

function lose(state: State, line: ForeignLine, { code, error }: Omit<Farewell, 'reason'>): void {
  const wasIn = state.line === line;
  if (wasIn) state.line = undefined;
  line.onClose();
  if (!wasIn) return;
  state.stopWaiting();
  if (error !== undefined || (code === REMOVED && state.isRegisteredByCalls)) return state.onGone();
  state.stopWaiting = state.clock.after(AWAY_LEASES * state.leaseMs, () => {
    if (state.line === undefined) state.onGone();
  });
}

/** Makes its line, whose end is no end of what runs. */
function join(state: State, from: Omit<Call, 'onAdmitted'>, admit: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    let isIn = false;
    const end = (farewell: Farewell): void => {
      // One that is refused takes nothing from the one before.
      if (!isIn) Object.assign(state, { announced: '', isJoining: false });
      // What it said last is told before.
      queueMicrotask(() => lose(state, line, farewell));
      reject(refusalOf(farewell));
    };
    const side: ForeignSide = {
      ...state.side,
      end,
      ping() {
        if (state.clock.now() - state.seenAt < state.freshMs) queueMicrotask(() => state.line?.onHeard());
      },
      terminate: () => end({ code: 1001, reason: 'cut off', error: undefined }),
      onReady({ leaseMs = state.leaseMs }) {
        isIn = true;
        Object.assign(state, { line, leaseMs, isJoining: false });
        state.stopWaiting();
        admit();
        resolve();
      },
    };
    state.isJoining = true;
    const line = state.runner.connect({ ...from, side });
  });
}

export function createCalledRunner(options: CalledRunnerOptions): CalledRunner {
  const runner = createForeignRunner(options);
  const state: State = {
    ...{ ...options, runner, seenAt: 0, leaseMs: LEASE_MS, announced: '', line: undefined },
    ...{ isJoining: false, joining: Promise.resolve(), stopWaiting: () => undefined },
  };
  const onSeen = (): void => void (state.seenAt = options.clock.now());
  return {
    execution: runner.execution,
    isIdle: runner.isIdle,
    leaseMs: () => state.leaseMs,
    call({ caller, announcement, onAdmitted }) {
      const admit = (): void => {
        onSeen();
        onAdmitted?.();
        state.line?.onHeard();
      };
      const announced = JSON.stringify(announcement);
      if ((state.isJoining || state.line !== undefined) && state.announced === announced)
        return state.joining.then(admit);
      state.announced = announced;
      state.joining = join(state, { caller, announcement }, admit);
      return state.joining;
    },
    onHeard: () => state.line?.onHeard(),
    onSeen,
    onDrain: () => state.line?.onDrain(),
    leave() {
      const { line } = state;
      if (line !== undefined) queueMicrotask(() => lose(state, line, { code: 1001, error: undefined }));
    },
  };
}
