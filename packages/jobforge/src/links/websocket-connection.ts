import type { Clock } from '../model/clock.js';
import type { RunnerConnection } from '../model/runner-connection.js';
import { framesOf, serverFrame } from './server-frames.js';
import { PROBE_MS, type LinkConnection } from './session-link.js';

/** Beyond this many bytes that the runner has not read, it is offered nothing more. */
const FULL_BYTES = 1024 * 1024;
/** Beyond this many it is cut off: it does not read. */
const STUCK_BYTES = 16 * 1024 * 1024;

/** A socket as a link uses it, and what its session says over it beside. */
export interface WebSocketConnection extends LinkConnection {
  /** Sends one frame, as JSON. */
  say(frame: string): void;
  /** The other side has answered a ping. */
  onPong(): void;
  /** It is closed: nothing is sent any more, and probes have failed. */
  onClose(): void;
}

export function createWebSocketConnection(socket: RunnerConnection, clock: Clock): WebSocketConnection {
  let closed = false;
  let probes: ((answered: boolean) => void)[] = [];
  const settleProbes = (answered: boolean): void => {
    const asked = probes;
    probes = [];
    for (const settle of asked) settle(answered);
  };
  const send = (frame: string): void => {
    if (closed) return;
    // A runner that sends and does not read would fill the memory with its own acknowledgements.
    if (socket.bufferedBytes() > STUCK_BYTES) socket.terminate();
    else socket.send(frame);
  };
  return {
    room: () => (closed || socket.bufferedBytes() > FULL_BYTES ? 0 : Infinity),
    send: (out) => {
      for (const frame of framesOf(out)) send(frame);
    },
    probe: () =>
      new Promise((resolve) => {
        if (closed) return resolve(false);
        const stop = clock.after(PROBE_MS, () => resolve(false));
        probes.push((answered) => {
          stop();
          resolve(answered);
        });
        socket.ping();
      }),
    close(code, reason) {
      if (!closed) socket.close(code, reason);
    },
    refuse: (error) => send(serverFrame.refused(error)),
    say: send,
    onPong: () => settleProbes(true),
    onClose() {
      closed = true;
      settleProbes(false);
    },
  };
}
