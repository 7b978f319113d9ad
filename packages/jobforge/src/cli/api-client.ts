import {
  ENDPOINTS,
  endpointPath,
  ErrorEnvelope,
  type Endpoint,
  type EndpointName,
  type JobEvent,
  type RequestOf,
  type ResponseOf,
} from '@controlplane/contracts';
import { Readable } from 'node:stream';
import { z } from 'zod';
import { misused, refused, unreachable } from './cli-failure.js';
import type { TokenSource } from './client-token.js';
import { jobEventStream } from './job-event-stream.js';

export interface ApiClientOptions {
  /** Where JobForge listens. */
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  /** The credential of each request. Default: none. */
  readonly token?: TokenSource;
  /** Longest wait for an answer to begin, in ms. Default: 30 000. */
  readonly answerMs?: number;
}

/** What goes with a call, as the endpoint's row in the table asks for it. */
export interface CallOptions<Name extends EndpointName> {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly body?: RequestOf<Name>;
}

/** JobForge as the command line sees it. What is refused is thrown as a `CliFailure`, and so is silence. */
export interface ApiClient {
  readonly url: string;
  call<Name extends EndpointName>(name: Name, options?: CallOptions<Name>): Promise<ResponseOf<Name>>;
  /** The answer of an endpoint that gives a file, its body unread. */
  open(
    name: 'getArtifact' | 'getFile',
    options: Pick<CallOptions<'getFile'>, 'params' | 'query'>,
  ): Promise<Response>;
  /** Whether JobForge has an upload of this caller. */
  has(sha256: string): Promise<boolean>;
  /** Sends a file as it is read. */
  upload(sha256: string, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** The events of a job until it has ended, also across a restart of JobForge. */
  events(
    id: string,
    options?: { readonly follow?: boolean; readonly signal?: AbortSignal },
  ): AsyncIterable<JobEvent>;
}

/** Longest wait until a file was taken, in ms: longer than JobForge reads on it. */
const UPLOAD_MS = 90_000;

/** Longest wait for an answer, in ms. Submits wait for the disk, nothing waits for a runner. */
const ANSWER_MS = 30_000;

const Refusal = z.object({ success: z.literal(false), error: ErrorEnvelope });

type Send = (target: string, init?: RequestInit) => Promise<Response>;

/** Sends the credential with each request. */
function withToken(fetch: typeof globalThis.fetch, token: TokenSource): Send {
  return async (target, init = {}) => {
    const credential = await token();
    if (credential === undefined) return fetch(target, init);
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${credential}`);
    return fetch(target, { ...init, headers });
  };
}

/** The path of an endpoint, with what is asked in its query. */
function targetOf(
  name: EndpointName,
  { params, query = {} }: Pick<CallOptions<EndpointName>, 'params' | 'query'>,
): string {
  const asked = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const search = asked.length > 0 ? `?${new URLSearchParams(asked).toString()}` : '';
  return `${endpointPath(name, params)}${search}`;
}

const NO_TOKEN: TokenSource = async () => undefined;

export function createApiClient(options: ApiClientOptions): ApiClient {
  const { token = NO_TOKEN, answerMs = ANSWER_MS } = options;
  const url = baseUrl(options.url);
  const fetch = withToken(options.fetch, token);

  const call = async <Name extends EndpointName>(
    name: Name,
    options: CallOptions<Name> = {},
  ): Promise<ResponseOf<Name>> => {
    const { method, response: schema }: Endpoint = ENDPOINTS[name];
    const target = `${url}${targetOf(name, options)}`;
    const reply = await answered({ url, answerMs }, () =>
      fetch(target, {
        method,
        signal: AbortSignal.timeout(answerMs),
        ...(options.body === undefined
          ? {}
          : { body: JSON.stringify(options.body), headers: { 'content-type': 'application/json' } }),
      }),
    );
    const parsed = schema.safeParse(await contentOf(reply, url));
    if (!parsed.success) throw foreign(url);
    return parsed.data as ResponseOf<Name>;
  };

  return {
    url,
    call,
    async open(name, options) {
      const target = `${url}${targetOf(name, options)}`;
      const reply = await answered({ url, answerMs }, () => fetch(target));
      if (reply.ok) return reply;
      await contentOf(reply, url);
      throw foreign(url);
    },
    ...fileCalls({ url, answerMs, fetch }),
    events: eventCalls({ url, answerMs, fetch }),
  };
}

/** What reads events. */
function eventCalls({ url, answerMs, fetch }: Channel): ApiClient['events'] {
  return (id, { follow = true, signal: leaving } = {}) =>
    jobEventStream({
      follow,
      signal: leaving,
      open: (afterId, signal) =>
        answered({ url, answerMs }, () =>
          fetch(`${url}${endpointPath('jobEvents', { id })}${follow ? '' : '?follow=false'}`, {
            headers: {
              accept: 'text/event-stream',
              ...(afterId === undefined ? {} : { 'last-event-id': afterId }),
            },
            signal,
          }),
        ),
      refusalOf: async (reply) => {
        await contentOf(reply, url);
        return foreign(url);
      },
    });
}

interface Channel {
  readonly url: string;
  readonly answerMs: number;
  readonly fetch: Send;
}

/** What sends files. */
function fileCalls({ url, answerMs, fetch }: Channel): Pick<ApiClient, 'has' | 'upload'> {
  return {
    async has(sha256) {
      const target = `${url}${endpointPath('getFile', { sha256 })}`;
      const reply = await answered({ url, answerMs }, () => fetch(target, { method: 'HEAD' }));
      return reply.ok;
    },
    async upload(sha256, body) {
      const target = `${url}${endpointPath('putFile', { sha256 })}`;
      const reply = await answered({ url, answerMs: UPLOAD_MS }, () =>
        fetch(target, {
          method: 'PUT',
          headers: { 'content-type': 'application/octet-stream' },
          body: Readable.toWeb(Readable.from(body, { objectMode: false })),
          duplex: 'half',
        }),
      );
      await contentOf(reply, url);
    },
  };
}

function baseUrl(given: string): string {
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (parsed?.protocol !== 'http:' && parsed?.protocol !== 'https:') {
    throw misused(
      `"${given}" is not where JobForge can listen: expected a URL such as http://127.0.0.1:3002.`,
    );
  }
  return parsed.href.replace(/\/+$/, '');
}

// What was asked may never settle, and neither it nor AbortSignal.timeout keeps a process alive: this timer does both.
async function answered(
  { url, answerMs }: { readonly url: string; readonly answerMs: number },
  send: () => Promise<Response>,
): Promise<Response> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${answerMs / 1000} s`)), answerMs);
  });
  try {
    return await Promise.race([send(), silence]);
  } catch (error) {
    throw unreachable(`JobForge does not answer at ${url} (${reasonOf(error, answerMs)}).`);
  } finally {
    clearTimeout(timer);
  }
}

// What fetch throws says "fetch failed"; its cause says why.
function reasonOf(error: unknown, answerMs: number): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${answerMs / 1000} s`;
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return 'code' in cause && cause.code === 'ECONNREFUSED'
    ? 'connection refused'
    : cause.message || error.message;
}

/** What helps whoever types commands: JobForge speaks to those who send requests. */
function withRemedy(error: ErrorEnvelope): ErrorEnvelope {
  if (error.code !== 'CREDENTIAL_MISSING') return error;
  const remedy = 'Set JOBFORGE_TOKEN or JOBFORGE_TOKEN_FILE, or name the file of a token with --token-file.';
  return { ...error, remedy };
}

async function contentOf(reply: Response, url: string): Promise<unknown> {
  let content: unknown;
  try {
    content = await reply.json();
  } catch {
    throw foreign(url);
  }
  const refusal = Refusal.safeParse(content);
  if (refusal.success) throw refused(withRemedy(refusal.data.error));
  return content;
}

function foreign(url: string): Error {
  return unreachable(`What answers at ${url} is not JobForge, or one of another version.`);
}
