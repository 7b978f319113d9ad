import { networkInterfaces } from 'node:os';
import type { ResolvedOptions } from './options.js';

const ANY_ADDRESS = new Set(['0.0.0.0', '::', '']);
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[?::1\]?)$/;

function firstOutsideAddress(): string | undefined {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}

function reachableHost({ host, controlPlaneUrl }: Pick<ResolvedOptions, 'host' | 'controlPlaneUrl'>): string {
  if (!ANY_ADDRESS.has(host)) return host.includes(':') ? `[${host}]` : host;
  const isLocal = LOOPBACK.test(new URL(controlPlaneUrl).hostname);
  return isLocal ? '127.0.0.1' : (firstOutsideAddress() ?? '127.0.0.1');
}

/**
 * The URL by which the control plane reaches the runner's endpoints, without a slash at its end. A runner that
 * listens on every address is named by loopback to a control plane on this machine, else by this machine's
 * first outside address.
 * @param options - the runner's
 * @param port - the one it really listens on
 */
export function publicUrlOf(options: ResolvedOptions, port: number): string {
  const { publicUrl, mountAt = '' } = options;
  const server = (publicUrl ?? `http://${reachableHost(options)}:${port}`).replace(/\/+$/, '');
  return new URL(server).pathname.endsWith(mountAt) ? server : server + mountAt;
}
