import type { Server } from 'node:http';
import { isIPv6 } from 'node:net';

/** Starts to listen; rejects with the listener's own error. */
export function listening(
  server: Server,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<{ url: string; port: number }> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve({ url: `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`, port: bound });
    });
  });
}
