import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';

interface Address {
  readonly host: string;
  readonly port: number;
}

const PROBLEMS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is taken. Stop what listens there, or choose another port.',
  EACCES: 'this user may not open the port. Choose one above 1023.',
  EADDRNOTAVAIL: 'the host is no address of this machine. Choose another host.',
  ENOTFOUND: 'the host is no address of this machine. Choose another host.',
};

/**
 * The listener's error in one sentence, its `code` kept. Without a stack and a cause, which say nothing about the
 * program: one that lets it through ends with that sentence.
 */
function explained(error: NodeJS.ErrnoException, { host, port }: Address): Error {
  const { code = '', message } = error;
  const words = `JobForge cannot listen on ${host}:${port}: ${PROBLEMS[code] ?? `${message}.`}`;
  const told = new Error(words);
  Object.defineProperty(told, 'code', { value: code });
  told.stack = `Error: ${words}`;
  return told;
}

/** Starts to listen; rejects in one sentence that keeps the `code` of the listener's own error. */
export function listening(
  server: Server,
  address: Address & { readonly secure?: boolean },
): Promise<{ url: string; port: number }> {
  const { host, port, secure = false } = address;
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => reject(explained(error, address));
    server.once('error', refused);
    server.listen({ host, port }, () => {
      server.off('error', refused);
      const bound = server.address();
      const at = typeof bound === 'object' && bound !== null ? bound.port : port;
      resolve({ url: `${secure ? 'https' : 'http'}://${isIPv6(host) ? `[${host}]` : host}:${at}`, port: at });
    });
  });
}
