import { randomUUID } from 'node:crypto';
import { ExecutionEvent, isTerminalEvent, NDJSON, RunnerExecutionResponse } from '@controlplane/contracts';
import { send, type Exchange, type ReplyLine, type SendOptions, type WireRequest } from './exchange.js';

/** Where a runner is reached. */
export interface RunnerUrls {
  /** Ends with a slash. */
  readonly root: string;
  readonly health: string;
  readonly execute: string;
}

/** The body of one execution, as the kit writes it. */
export interface ExecutionBody {
  readonly jobId: string;
  readonly executionId: string;
  readonly moduleId: string;
  readonly capabilityId: string;
  readonly payload: unknown;
  readonly timeoutMs: number;
  readonly [member: string]: unknown;
}

export type ExecutionForm = 'json' | 'ndjson' | 'batch';

/** An exchange with the execute endpoint. */
export interface ExecutionExchange extends Exchange {
  readonly form: ExecutionForm;
  readonly sent: readonly ExecutionBody[];
  /** JSON form: the reply; undefined where it is none. */
  readonly reply: RunnerExecutionResponse | undefined;
  /** Streaming forms: the events that could be read, with the time of their arrival. */
  readonly events: readonly ArrivedEvent[];
}

export interface ArrivedEvent {
  readonly event: ExecutionEvent;
  readonly afterMs: number;
}

/** A stream that is being read. */
export interface RunningStream {
  /** The first line that arrived, or undefined when the reply ended without one. */
  readonly firstLine: Promise<ReplyLine | undefined>;
  readonly done: Promise<ExecutionExchange>;
}

export interface ClientOptions {
  readonly urls: RunnerUrls;
  readonly signal: AbortSignal;
  /** Sees every exchange: invariants are checked there. */
  readonly onExchange: (exchange: Exchange | ExecutionExchange) => void;
}

export interface RunnerClient {
  readonly urls: RunnerUrls;
  send(request: WireRequest): Promise<Exchange>;
  get(path: string): Promise<Exchange>;
  execute(body: ExecutionBody): Promise<ExecutionExchange>;
  /** Starts a streamed execution. `stopAfter` closes the connection after that many lines. */
  stream(body: ExecutionBody, options?: { readonly stopAfter?: number }): RunningStream;
  /** Sends bodies, or lines as they are, as one batch. */
  batch(lines: readonly (ExecutionBody | string)[]): Promise<ExecutionExchange>;
  cancel(executionId: string): Promise<Exchange>;
}

/** A new execution with ids that no runner has seen. */
export function newExecution(capabilityId: string, payload: unknown, changes: Readonly<Record<string, unknown>> = {}): ExecutionBody {
  const id = randomUUID();
  return {
    jobId: `kit-job-${id}`,
    moduleId: 'contract-test-kit',
    capabilityId,
    payload,
    timeoutMs: 15_000,
    metadata: { correlationId: `kit-${id}` },
    executionId: `kit-execution-${id}`,
    attempt: 1,
    leaseToken: `kit-lease-${id}`,
    ...changes,
  };
}

function readEvent(line: ReplyLine): ArrivedEvent[] {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    return [];
  }
  const parsed = ExecutionEvent.safeParse(value);
  return parsed.success ? [{ event: parsed.data, afterMs: line.afterMs }] : [];
}

function asExecution(exchange: Exchange, form: ExecutionForm, sent: readonly ExecutionBody[]): ExecutionExchange {
  const parsed = form === 'json' ? RunnerExecutionResponse.safeParse(exchange.json) : undefined;
  return {
    ...exchange,
    form,
    sent,
    reply: parsed?.success ? parsed.data : undefined,
    events: form === 'json' ? [] : exchange.lines.flatMap(readEvent),
  };
}

/** The terminal event of an exchange, if it has one. */
export function terminalOf(exchange: ExecutionExchange) {
  return exchange.events.map(({ event }) => event).find(isTerminalEvent);
}

const JSON_TYPE = { 'content-type': 'application/json', accept: 'application/json' };

/** A client that speaks to one runner for the time of one case. */
export function createRunnerClient({ urls, signal, onExchange }: ClientOptions): RunnerClient {
  const exchange = async (request: WireRequest, options: Omit<SendOptions, 'signal'> = {}): Promise<Exchange> =>
    send(request, { ...options, signal });
  const seen = <Kind extends Exchange>(done: Kind): Kind => {
    onExchange(done);
    return done;
  };
  const executeRequest = (headers: Readonly<Record<string, string>>, body: string): WireRequest => ({ method: 'POST', url: urls.execute, headers, body });

  const stream: RunnerClient['stream'] = (body, { stopAfter } = {}) => {
    let count = 0;
    let tellFirst: (line: ReplyLine | undefined) => void = () => {};
    const firstLine = new Promise<ReplyLine | undefined>((resolve) => {
      tellFirst = resolve;
    });
    const onLine = (line: ReplyLine): boolean => {
      tellFirst(line);
      count += 1;
      return count === stopAfter;
    };
    const request = executeRequest({ 'content-type': 'application/json', accept: NDJSON }, JSON.stringify(body));
    const done = exchange(request, { onLine }).then((raw) => seen(asExecution(raw, 'ndjson', [body])));
    done.then(
      () => tellFirst(undefined),
      () => tellFirst(undefined),
    );
    return { firstLine, done };
  };

  return {
    urls,
    stream,
    send: async (request) => seen(await exchange(request)),
    get: async (path) => seen(await exchange({ method: 'GET', url: new URL(path, urls.root).href, headers: { accept: 'application/json' } })),
    execute: async (body) => seen(asExecution(await exchange(executeRequest(JSON_TYPE, JSON.stringify(body))), 'json', [body])),
    batch: async (lines) => {
      const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
      const sent = lines.filter((line) => typeof line !== 'string');
      return seen(asExecution(await exchange(executeRequest({ 'content-type': NDJSON, accept: NDJSON }, text)), 'batch', sent));
    },
    cancel: async (executionId) =>
      seen(
        await exchange({
          method: 'POST',
          url: new URL(`executions/${encodeURIComponent(executionId)}/cancel`, urls.root).href,
          headers: JSON_TYPE,
          body: JSON.stringify({ reason: 'user' }),
        }),
      ),
  };
}

