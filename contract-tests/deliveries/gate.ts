import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A TCP passage that can be cut and closed. */
export interface Gate {
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
  const server = createServer((incoming) => {
    keep(incoming);
    if (isShut) return void incoming.destroy();
    const outgoing = connect(port, '127.0.0.1');
    keep(outgoing);
    incoming.setNoDelay(true);
    outgoing.setNoDelay(true);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
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
}
