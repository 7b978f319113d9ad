import type { IncomingMessage } from 'node:http';
import { JobForgeError } from '../model/job-forge-error.js';
import { isLoopback } from './loopback.js';

/** Says why a request is refused, or nothing. */
export type HostGuard = (request: Pick<IncomingMessage, 'headers' | 'method'>) => JobForgeError | undefined;

/** Host headers that were found good, so that the hot path compares text instead of reading URLs. */
const MAX_KNOWN = 100;

/**
 * Keeps web pages away from a control plane that is open to its own machine: a page whose name was made to
 * resolve to 127.0.0.1 still sends its own name as host, and one that posts across sites sends its origin.
 * Checks nothing while JobForge listens on an address that others can reach.
 */
export function createHostGuard(options: {
  readonly host: string;
  readonly allowedHosts: readonly string[];
  /** Default: http. */
  readonly scheme?: 'http' | 'https';
}): HostGuard {
  if (!isLoopback(options.host)) return () => undefined;
  const { scheme = 'http' } = options;
  const allowed = new Set(options.allowedHosts.map((name) => name.toLowerCase()));
  const known = new Set<string>();

  const isAllowed = (header: string): boolean => {
    if (known.has(header)) return true;
    const name = hostNameOf(header);
    if (name === undefined || !(isLoopback(name) || allowed.has(name))) return false;
    if (known.size < MAX_KNOWN) known.add(header);
    return true;
  };

  return ({ headers: { host = '', origin }, method }) => {
    if (!isAllowed(host)) {
      return new JobForgeError('HOST_NOT_ALLOWED', {
        message: `The host header ${JSON.stringify(host.slice(0, 256))} names neither this machine nor an allowed host.`,
      });
    }
    if (origin === undefined || method === 'GET' || method === 'HEAD' || origin === `${scheme}://${host}`)
      return undefined;
    return new JobForgeError('HOST_NOT_ALLOWED', {
      message: `A page of the origin ${JSON.stringify(origin.slice(0, 256))} may not change anything here.`,
      remedy: 'Send the request from a program, or from a page that JobForge itself serves.',
    });
  };
}

function hostNameOf(header: string): string | undefined {
  if (header === '' || /[/?#@\\\s]/.test(header)) return undefined;
  try {
    return new URL(`http://${header}`).hostname.replace(/^\[|\]$/g, '');
  } catch {
    return undefined;
  }
}
