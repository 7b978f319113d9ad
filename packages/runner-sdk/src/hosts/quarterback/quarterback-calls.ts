import {
  QUARTERBACK_HEADERS,
  QUARTERBACK_PATHS,
  QUARTERBACK_USER_AGENT,
  QuarterbackAssignment,
  QuarterbackRegistered,
  QuarterbackStatusAnswer,
  type QuarterbackHeartbeat,
  type QuarterbackLogs,
  type QuarterbackRegistration,
  type QuarterbackStatusUpdate,
} from '@controlplane/contracts/quarterback';
import { createHttpClient } from '../../transport/http-client.js';
import { readBytes } from '../../transport/read-bytes.js';
import { sayThrown } from '../../util/safe-json.js';
import { unreachable, type Answer } from '../refusals.js';
import { refusalOfCall, refusalOfRegistration, type Refused } from './refusals.js';

/** What there is to do. */
export type Pending =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'assignment'; readonly assignment: QuarterbackAssignment }
  /** It cannot be read, but it has a name to report it by. */
  | { readonly kind: 'unreadable'; readonly taskId: string; readonly problem: string };

/** The calls of the protocol. None of them rejects. */
export interface QuarterbackCalls {
  register(body: QuarterbackRegistration, token: string): Promise<Answer<QuarterbackRegistered>>;
  pending(apiKey: string, signal: AbortSignal): Promise<Answer<Pending>>;
  heartbeat(apiKey: string, body: QuarterbackHeartbeat): Promise<Answer<unknown>>;
  /** Whether the task is wanted any more. */
  status(apiKey: string, body: QuarterbackStatusUpdate): Promise<Answer<{ readonly isCancelled: boolean }>>;
  logs(apiKey: string, body: QuarterbackLogs): Promise<Answer<unknown>>;
  file(
    apiKey: string,
    name: string,
    limit: { readonly maxBytes: number; readonly signal: AbortSignal },
  ): Promise<Answer<Buffer>>;
}

/** Milliseconds for one call, its answer included. */
const MS = { ask: 30_000, tell: 10_000, file: 60_000, logs: 120_000 } as const;

/** Bytes of an answer that is no file. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

/** Characters of an error's own words that are passed on. */
const DETAIL_CHARS = 500;

interface Call {
  readonly path: string;
  readonly limitMs: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
  readonly maxBytes?: number | undefined;
  readonly refusal?: ((answer: Refused) => Answer<never>) | undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function detailOf(body: Buffer): string {
  const text = body.toString('utf8').trim();
  const json = parsed(text);
  const said = typeof json === 'object' && json !== null ? Reflect.get(json, 'detail') : undefined;
  return (typeof said === 'string' ? said : text || 'nothing').slice(0, DETAIL_CHARS);
}

/** What is none of nothing must be an assignment, or at least say whose it is. */
function readPending(body: Buffer): Pending {
  const value = body.length === 0 ? null : (JSON.parse(body.toString('utf8')) as unknown);
  if (typeof value !== 'object' || value === null || Object.keys(value).length === 0)
    return { kind: 'nothing' };
  const read = QuarterbackAssignment.safeParse(value);
  if (read.success) return { kind: 'assignment', assignment: read.data };
  const taskId: unknown = Reflect.get(value, 'task_id');
  const problem = sayThrown(read.error);
  if (typeof taskId === 'string' && taskId !== '') return { kind: 'unreadable', taskId, problem };
  throw new Error(`what there is to do cannot be read: ${problem}`);
}

const readStatus = (body: Buffer): { readonly isCancelled: boolean } => ({
  isCancelled: QuarterbackStatusAnswer.safeParse(parsed(body.toString('utf8'))).data?.status === 'cancelled',
});

const keyed = (apiKey: string): Record<string, string> => ({ [QUARTERBACK_HEADERS.apiKey]: apiKey });

interface Line {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch | undefined;
}

async function ask<T>({ url, fetch }: Line, call: Call, read: (body: Buffer) => T): Promise<Answer<T>> {
  const { path, limitMs, headers, body, signal, maxBytes = MAX_ANSWER_BYTES } = call;
  const limit = AbortSignal.timeout(limitMs);
  try {
    const http = createHttpClient({ baseUrl: url, timeoutMs: limitMs, fetch });
    const response = await http(path, {
      headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      redirect: 'error',
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    const { status, ok } = response;
    const answer = await readBytes(response, ok ? maxBytes : MAX_ANSWER_BYTES);
    if (ok) return { ok: true, value: read(answer) };
    const retryAfter = response.headers.get('retry-after');
    return (call.refusal ?? refusalOfCall)({ status, detail: detailOf(answer), what: path, retryAfter });
  } catch (error) {
    return unreachable(error);
  }
}

/**
 * Makes them. The key goes to the address that the runner was told, and nowhere else: no redirect is followed.
 * @param url - base of every path
 */
export function createQuarterbackCalls(
  url: string,
  fetch: typeof globalThis.fetch | undefined,
): QuarterbackCalls {
  const line: Line = { url, fetch };
  const { register, pending, heartbeat, status, logs, files } = QUARTERBACK_PATHS;
  return {
    register: (body, token) =>
      ask(
        line,
        {
          path: register,
          limitMs: MS.ask,
          headers: { [QUARTERBACK_HEADERS.registrationToken]: token },
          body,
          refusal: refusalOfRegistration,
        },
        (text) => QuarterbackRegistered.parse(JSON.parse(text.toString('utf8'))),
      ),
    pending: (apiKey, signal) =>
      ask(line, { path: pending, limitMs: MS.ask, headers: keyed(apiKey), signal }, readPending),
    heartbeat: (apiKey, body) =>
      ask(line, { path: heartbeat, limitMs: MS.tell, headers: keyed(apiKey), body }, () => undefined),
    status: (apiKey, body) =>
      ask(line, { path: status, limitMs: MS.tell, headers: keyed(apiKey), body }, readStatus),
    logs(apiKey, body) {
      const headers = { ...keyed(apiKey), 'user-agent': QUARTERBACK_USER_AGENT };
      return ask(line, { path: logs, limitMs: MS.logs, headers, body }, () => undefined);
    },
    file(apiKey, name, limit) {
      const path = `${files}/${encodeURIComponent(name)}`;
      return ask(line, { path, limitMs: MS.file, headers: keyed(apiKey), ...limit }, (body) => body);
    },
  };
}
