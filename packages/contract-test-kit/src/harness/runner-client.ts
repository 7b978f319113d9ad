import { randomUUID } from 'node:crypto';
import { ExecutionEvent, isTerminalEvent, NDJSON, RunnerExecutionResponse } from '@controlplane/contracts';
import { pause } from './pause.js';
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
  /** Runs an execution; one that is refused because every slot is taken is sent again for a while. */
  execute(body: ExecutionBody): Promise<ExecutionExchange>;
  /** Sends an execution once, and takes a refusal for an answer. */
  executeOnce(body: ExecutionBody): Promise<ExecutionExchange>;
  /** Starts a streamed execution. `stopAfter` closes the connection after that many lines. */
  stream(body: ExecutionBody, options?: { readonly stopAfter?: number }): RunningStream;
  /** Sends bodies, or lines as they are, as one batch. */
  batch(lines: readonly (ExecutionBody | string)[]): Promise<ExecutionExchange>;
  cancel(executionId: string): Promise<Exchange>;
}

/** A new execution with ids that no runner has seen. */
export function newExecution(
  capabilityId: string,
  payload: unknown,
  changes: Readonly<Record<string, unknown>> = {},
): ExecutionBody {
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

function asExecution(
  exchange: Exchange,
  form: ExecutionForm,
  sent: readonly ExecutionBody[],
): ExecutionExchange {
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

interface Wire {
  readonly urls: RunnerUrls;
  readonly exchange: (request: WireRequest, options?: Omit<SendOptions, 'signal'>) => Promise<Exchange>;
  readonly seen: <Kind extends Exchange>(done: Kind) => Kind;
}

/** Posts to the execute endpoint. */
function executeRequest(
  { urls }: Wire,
  headers: Readonly<Record<string, string>>,
  body: string,
): WireRequest {
  return { method: 'POST', url: urls.execute, headers, body };
}

/** For as long as an execution of another case may hold the slot. */
const BUSY_TRIES = 20;
const BUSY_PAUSE_MS = 200;

async function sendExecution(wire: Wire, body: ExecutionBody): Promise<ExecutionExchange> {
  const raw = await wire.exchange(executeRequest(wire, JSON_TYPE, JSON.stringify(body)));
  return wire.seen(asExecution(raw, 'json', [body]));
}

async function executePatiently(
  wire: Wire,
  body: ExecutionBody,
  signal: AbortSignal,
): Promise<ExecutionExchange> {
  for (let tries = 1; ; tries += 1) {
    const done = await sendExecution(wire, body);
    if (done.reply?.error?.code !== 'RUNNER_BUSY' || tries === BUSY_TRIES) return done;
    await pause(BUSY_PAUSE_MS, signal);
  }
}

/**
 * A case may do something else before it awaits what it has started, or end without: a runner that breaks
 * the connection meanwhile must not be an unhandled rejection of the kit. Who awaits is still told.
 */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function startStream(wire: Wire, body: ExecutionBody, stopAfter: number | undefined): RunningStream {
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
  const headers = { 'content-type': 'application/json', accept: NDJSON };
  const done = wire
    .exchange(executeRequest(wire, headers, JSON.stringify(body)), { onLine })
    .then((raw) => wire.seen(asExecution(raw, 'ndjson', [body])));
  const finish = (): void => tellFirst(undefined);
  done.then(finish, finish);
  return { firstLine, done };
}

async function sendBatch(wire: Wire, lines: readonly (ExecutionBody | string)[]): Promise<ExecutionExchange> {
  const text = lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join('');
  const sent = lines.filter((line) => typeof line !== 'string');
  const raw = await wire.exchange(executeRequest(wire, { 'content-type': NDJSON, accept: NDJSON }, text));
  return wire.seen(asExecution(raw, 'batch', sent));
}

function cancelRequest(urls: RunnerUrls, executionId: string): WireRequest {
  const { href } = new URL(`executions/${encodeURIComponent(executionId)}/cancel`, urls.root);
  return { method: 'POST', url: href, headers: JSON_TYPE, body: JSON.stringify({ reason: 'user' }) };
}

/** A client that speaks to one runner for the time of one case. */
export function createRunnerClient({ urls, signal, onExchange }: ClientOptions): RunnerClient {
  const wire: Wire = {
    urls,
    exchange: (request, options = {}) => send(request, { ...options, signal }),
    seen: (done) => {
      onExchange(done);
      return done;
    },
  };
  const sendAndSee = async (request: WireRequest): Promise<Exchange> =>
    wire.seen(await wire.exchange(request));
  return {
    urls,
    send: sendAndSee,
    get: (path) =>
      sendAndSee({
        method: 'GET',
        url: new URL(path, urls.root).href,
        headers: { accept: 'application/json' },
      }),
    executeOnce: (body) => awaitedLater(sendExecution(wire, body)),
    execute: (body) => awaitedLater(executePatiently(wire, body, signal)),
    stream: (body, { stopAfter } = {}) => startStream(wire, body, stopAfter),
    batch: (lines) => sendBatch(wire, lines),
    cancel: (executionId) => sendAndSee(cancelRequest(urls, executionId)),
  };
}
