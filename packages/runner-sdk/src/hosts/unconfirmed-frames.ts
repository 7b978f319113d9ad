import type { ReconnectingSocket } from '../transport/reconnecting-socket.js';
import { createDeferred, type Deferred } from '../util/deferred.js';

/**
 * Frames of a protocol that acknowledges nothing. Each is kept until the peer is known to have read it, which it proves
 * by answering a ping that was sent after it; what was not known to be read when a connection broke is sent again over
 * the next one, in order.
 */
export interface UnconfirmedFrames {
  /** @param isResult - whether it is the end of an execution */
  push(frame: object, isResult: boolean): void;
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

interface Kept {
  readonly text: string;
  readonly isResult: boolean;
}

interface State {
  readonly socket: Pick<ReconnectingSocket, 'send' | 'confirm'>;
  kept: Kept[];
  /** How many of them went over the connection that there is now. */
  sent: number;
  isUp: boolean;
  isFull: boolean;
  isConfirming: boolean;
  empty: Deferred<void> | undefined;
}

async function confirmSent(state: State): Promise<void> {
  if (state.isConfirming) return;
  state.isConfirming = true;
  while (state.sent > 0) {
    const count = state.sent;
    if (!(await state.socket.confirm())) break;
    state.kept.splice(0, count);
    state.sent -= count;
  }
  state.isConfirming = false;
  if (state.kept.length > 0) return;
  state.empty?.resolve();
  state.empty = undefined;
}

function flush(state: State): void {
  const { kept, socket } = state;
  while (state.isUp && !state.isFull && state.sent < kept.length) {
    state.isFull = !socket.send(kept[state.sent]?.text ?? '');
    state.sent++;
  }
  void confirmSent(state);
}

/** Makes the queue, empty. */
export function createUnconfirmedFrames(socket: State['socket']): UnconfirmedFrames {
  const state: State = {
    socket,
    kept: [],
    sent: 0,
    isUp: false,
    isFull: false,
    isConfirming: false,
    empty: undefined,
  };
  return {
    push(frame, isResult) {
      state.kept.push({ text: JSON.stringify(frame), isResult });
      flush(state);
    },
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
    results: () => state.kept.filter(({ isResult }) => isResult).length,
    whenEmpty: () =>
      state.kept.length === 0 ? Promise.resolve() : (state.empty ??= createDeferred<void>()).promise,
  };
}
