import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import { addressOf, isPrivateAddress } from './webhook-destination.js';

/** What one attempt to tell came to. */
export type PostOutcome =
  | { readonly kind: 'told' }
  /** An answer that is none of success. `retryAfterMs` where it named a time. */
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterMs: number | undefined }
  | { readonly kind: 'failed'; readonly message: string };

export interface WebhookPost {
  /** Sends one message. Never rejects. */
  send(
    url: string,
    message: { readonly body: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<PostOutcome>;
  /** Breaks off what is on its way. */
  close(): void;
}

type Resolve = (
  host: string,
  options: LookupOptions & { all: true },
  found: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

export interface WebhookPostOptions {
  readonly allowPrivate: boolean;
  readonly timeoutMs: number;
  /** Default: the machine's resolver. */
  readonly resolve?: Resolve;
}

const PRIVATE_WORDS = 'its host is an address of a private network, and those are not allowed here';

/** Looks a name up when the connection is made, so that what is checked is what is connected to. */
function guardedLookup(allowPrivate: boolean, resolve: Resolve): LookupFunction {
  return (host, options, found) =>
    resolve(host, { ...options, all: true }, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined)
        return found(error ?? new Error(`${host} has no address`), '', 4);
      if (!allowPrivate && addresses.some(({ address }) => isPrivateAddress(address)))
        return found(new Error(PRIVATE_WORDS), '', 4);
      // The types of the callback know one address only; `all` is answered with all of them.
      if (options.all)
        return (found as unknown as (none: null, all: LookupAddress[]) => void)(null, addresses);
      found(null, first.address, first.family);
    });
}

/** Seconds or a date, as `retry-after` has it. */
function retryAfterOf({ headers }: IncomingMessage): number | undefined {
  const value = headers['retry-after'];
  if (value === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

function outcomeOf(response: IncomingMessage): PostOutcome {
  const { statusCode: status = 0 } = response;
  if (status >= 200 && status < 300) return { kind: 'told' };
  return { kind: 'refused', status, retryAfterMs: retryAfterOf(response) };
}

/** Sends messages over connections of its own. Redirects are not followed, and answers are not read. */
export function createWebhookPost({
  allowPrivate,
  timeoutMs,
  resolve = systemLookup,
}: WebhookPostOptions): WebhookPost {
  const settings = { keepAlive: true, maxFreeSockets: 4, timeout: timeoutMs };
  const agents = { 'http:': new HttpAgent(settings), 'https:': new HttpsAgent(settings) };
  const closing = new AbortController();
  const lookup = guardedLookup(allowPrivate, resolve);

  return {
    send(url, { body, headers }) {
      const target = new URL(url);
      const address = addressOf(target);
      if (!allowPrivate && address !== undefined && isPrivateAddress(address))
        return Promise.resolve({ kind: 'failed', message: PRIVATE_WORDS });
      return new Promise((settle) => {
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]);
        const options = {
          ...{ method: 'POST', lookup, signal },
          headers: {
            ...headers,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(body),
          },
        };
        const request =
          target.protocol === 'https:'
            ? httpsRequest(target, { ...options, agent: agents['https:'] })
            : httpRequest(target, { ...options, agent: agents['http:'] });
        request.once('response', (response) => {
          settle(outcomeOf(response));
          response.on('error', () => undefined).resume();
        });
        request.on('error', (error) => {
          const late = error.name === 'AbortError' && !closing.signal.aborted;
          settle({ kind: 'failed', message: late ? `no answer within ${timeoutMs} ms` : error.message });
        });
        request.end(body);
      });
    },
    close() {
      closing.abort();
      for (const agent of Object.values(agents)) agent.destroy();
    },
  };
}
