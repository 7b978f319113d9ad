import { once } from 'node:events';
import { WebSocket } from 'ws';

type Frame = Readonly<Record<string, unknown>>;

/** A foreign runner as far as a test plays it: what it says, and what it is told. */
export interface ForeignClient {
  send(frame: object | string): void;
  /** The next frame that it is told and has not been asked for here. */
  next(): Promise<Frame>;
  /** Frames that it was told and that nobody asked for. */
  readonly unread: readonly Frame[];
  /** Resolves when the other side has closed. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  hangUp(): void;
}

/** Dials a door. */
export async function dialDoor(url: string, path: string): Promise<ForeignClient> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}${path}`);
  const unread: Frame[] = [];
  let wake = (): void => undefined;
  socket.on('message', (data: Buffer) => {
    unread.push(JSON.parse(data.toString('utf8')) as Frame);
    wake();
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString('utf8') }));
  });
  await once(socket, 'open');
  return {
    ...{ unread, closed },
    send: (frame) => socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame)),
    async next() {
      while (unread.length === 0)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      return unread.shift() ?? {};
    },
    hangUp: () => socket.terminate(),
  };
}
