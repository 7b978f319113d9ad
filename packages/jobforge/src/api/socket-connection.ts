import type { WebSocket } from 'ws';
import type { RunnerConnection } from '../model/runner-connection.js';
import { cutBefore } from '../model/utf8-cut.js';

/** Below this many bytes in the way, what waits goes on. */
const DRAINED_BYTES = 256 * 1024;
/** What a close frame can carry as its reason. */
const MAX_REASON_BYTES = 123;

function reasonOf(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.toString('utf8', 0, cutBefore(bytes, MAX_REASON_BYTES));
}

/**
 * A socket as whoever speaks over it sees it.
 * @param onDrain - called when the network has taken what was much
 */
export function connectionOf(socket: WebSocket, onDrain: () => void): RunnerConnection {
  let full = false;
  return {
    send(frame) {
      if (socket.readyState !== socket.OPEN) return;
      socket.send(frame, () => {
        if (!full || socket.bufferedAmount > DRAINED_BYTES) return;
        full = false;
        onDrain();
      });
      full ||= socket.bufferedAmount > DRAINED_BYTES;
    },
    bufferedBytes: () => socket.bufferedAmount,
    ping() {
      if (socket.readyState === socket.OPEN) socket.ping();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: (code, reason) => socket.close(code, reasonOf(reason)),
    terminate: () => socket.terminate(),
  };
}
