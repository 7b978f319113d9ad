import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { readClient, readServer } from './passing-text.js';

/** What becomes of a piece of bytes, and of its connection. */
export type Verdict = 'pass' | 'cut before' | 'cut after';

/** A TCP passage that can be cut and closed. */
export interface Gate {
  /** Looks at what passes; `isReply` for what comes back from where the gate leads. Default: everything passes. */
  judge: (text: string, isReply: boolean) => Verdict;
  readonly url: string;
  /** Connections that pass now. */
  readonly passing: number;
  /** Resets every connection; new ones pass. */
  cut(): void;
  /** Resets every connection and lets none pass until it is opened. */
  shut(): void;
  open(): void;
  close(): Promise<void>;
}

/** Opens a gate to a port of this machine. */
export async function openGate(port: number): Promise<Gate> {
  let isShut = false;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => sockets.delete(socket));
  };
  const carry = (from: Socket, to: Socket, isReply: boolean): void => {
    const read = isReply ? readServer() : readClient();
    from.on('data', (bytes: Buffer) => {
      const verdict = gate.judge(read(bytes), isReply);
      if (verdict !== 'cut before') to.write(bytes);
      // What was written is on its way before the connection is gone.
      if (verdict === 'cut after') setImmediate(() => to.resetAndDestroy());
      if (verdict !== 'pass') from.resetAndDestroy();
    });
  };
  const server = createServer((incoming) => {
    keep(incoming);
    if (isShut) return void incoming.destroy();
    const outgoing = connect(port, '127.0.0.1');
    keep(outgoing);
    incoming.setNoDelay(true);
    outgoing.setNoDelay(true);
    carry(incoming, outgoing, false);
    carry(outgoing, incoming, true);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const gate: Gate = {
    judge: () => 'pass',
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get passing() {
      return sockets.size / 2;
    },
    cut,
    shut() {
      isShut = true;
      cut();
    },
    open() {
      isShut = false;
    },
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
  return gate;
}
