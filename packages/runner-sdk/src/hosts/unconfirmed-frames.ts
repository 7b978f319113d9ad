import type { ReconnectingSocket } from '../transport/reconnecting-socket.js';
import { createDeferred, type Deferred } from '../util/deferred.js';

/**
 * Frames of a protocol that acknowledges nothing. Each is kept until the peer is known to have read it, which it proves
 * by answering a ping that was sent after it; what was not known to be read when a connection broke is sent again over
 * the next one, in order.
 */
export interface UnconfirmedFrames<Frame extends object> {
  /** @param about - what it is of; a frame without is of nothing in particular */
  push(frame: Frame, about?: FrameOf): void;
  /** What is kept of one execution. */
  of(executionId: string): Frame[];
  /** The other side takes frames: what it is not known to have read is sent. */
  onLinkUp(): void;
  onLinkLost(): void;
  /** The connection has caught up. */
  onDrain(): void;
  /** Ends of executions that are not known to have been read. */
  results(): number;
  /** Resolves when nothing is left to be sent. */
  whenEmpty(): Promise<void>;
}

/** The execution that a frame is of. */
export interface FrameOf {
  readonly executionId: string;
  /** It is the last one. */
  readonly isResult: boolean;
}

interface Kept<Frame> {
  readonly frame: Frame;
  readonly about: FrameOf | undefined;
}

interface State<Frame> {
  readonly socket: Pick<ReconnectingSocket, 'send' | 'confirm'>;
  readonly onConfirmed: (executionId: string) => void;
  kept: Kept<Frame>[];
  /** How many of them went over the connection that there is now. */
  sent: number;
  isUp: boolean;
  isFull: boolean;
  isConfirming: boolean;
  empty: Deferred<void> | undefined;
}

async function confirmSent<Frame>(state: State<Frame>): Promise<void> {
  if (state.isConfirming) return;
  state.isConfirming = true;
  while (state.sent > 0) {
    const count = state.sent;
    if (!(await state.socket.confirm())) break;
    const read = state.kept.splice(0, count);
    state.sent -= count;
    for (const { about } of read) if (about?.isResult) state.onConfirmed(about.executionId);
  }
  state.isConfirming = false;
  if (state.kept.length > 0) return;
  state.empty?.resolve();
  state.empty = undefined;
}

function flush<Frame>(state: State<Frame>): void {
  const { kept, socket } = state;
  while (state.isUp && !state.isFull && state.sent < kept.length) {
    state.isFull = !socket.send(JSON.stringify(kept[state.sent]?.frame));
    state.sent++;
  }
  void confirmSent(state);
}

/**
 * Makes the queue, empty.
 * @param onConfirmed - hears of each execution whose end is known to have been read
 */
export function createUnconfirmedFrames<Frame extends object>(
  socket: State<Frame>['socket'],
  onConfirmed: State<Frame>['onConfirmed'] = () => undefined,
): UnconfirmedFrames<Frame> {
  const state: State<Frame> = {
    ...{ socket, onConfirmed },
    kept: [],
    sent: 0,
    isUp: false,
    isFull: false,
    isConfirming: false,
    empty: undefined,
  };
  return {
    push(frame, about) {
      state.kept.push({ frame, about });
      flush(state);
    },
    of: (executionId) =>
      state.kept.flatMap(({ frame, about }) => (about?.executionId === executionId ? [frame] : [])),
    onLinkUp() {
      state.isUp = true;
      flush(state);
    },
    onLinkLost() {
      state.isUp = false;
      state.isFull = false;
      state.sent = 0;
    },
    onDrain() {
      state.isFull = false;
      flush(state);
    },
    results: () => state.kept.filter(({ about }) => about?.isResult).length,
    whenEmpty: () =>
      state.kept.length === 0 ? Promise.resolve() : (state.empty ??= createDeferred<void>()).promise,
  };
}
