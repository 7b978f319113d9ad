import { envelopeOf, httpStatusOf, isErrorCode, NDJSON, type ExecutionEvent } from '@controlplane/contracts';
import { NotApplicable } from '../../case/verdict.js';
import { NoAnswer, type Exchange, type ReplyLine, type WireRequest } from '../exchange.js';
import { pause } from '../pause.js';
import type { RecordingControlPlane } from '../recording-control-plane.js';
import type { ExecutionBody, ExecutionExchange, ExecutionForm, RunnerClient } from '../runner-client.js';
import { endOf, type Offered } from './offer-book.js';

/** What the request of an exchange is called that no request made: an offer over a link. */
export const OFFER = 'OFFER';

const POLL_MS = 10;
/** For as long as an execution of another case may hold the slot. */
const BUSY_TRIES = 20;
const BUSY_PAUSE_MS = 200;

export interface LinkClientOptions {
  readonly controlPlane: RecordingControlPlane;
  readonly signal: AbortSignal;
  /** Sees every exchange: invariants are checked there. */
  readonly onExchange: (exchange: Exchange | ExecutionExchange) => void;
}

/** How an execution over a link reads as an exchange with `POST /execute`. */
interface Offering {
  readonly offered: Offered;
  readonly sentAt: number;
  readonly request: WireRequest;
}

function requestOf(body: ExecutionBody): WireRequest {
  return {
    method: OFFER,
    url: `http://runner/executions/${encodeURIComponent(body.executionId)}`,
    body: JSON.stringify(body),
  };
}

/** The events of an execution; its claim stands for the first one. */
function eventsOf({ offered, sentAt }: Offering): { event: ExecutionEvent; afterMs: number }[] {
  const told = offered.recorded.map(({ event, at }) => ({ event, afterMs: at - sentAt }));
  const [acceptedAt] = offered.acceptedAt;
  if (acceptedAt === undefined || told[0]?.event.type === 'accepted') return told;
  const { executionId } = offered.body;
  const at = new Date(Date.now() - (performance.now() - acceptedAt)).toISOString();
  return [{ event: { executionId, seq: 0, at, type: 'accepted' }, afterMs: acceptedAt - sentAt }, ...told];
}

type Reply = NonNullable<ExecutionExchange['reply']>;

/** What `POST /execute` would have answered. */
function replyOf({ offered }: Offering): { readonly status: number; readonly reply: Reply } {
  const end = endOf(offered)?.event;
  const executionTimeMs = 0;
  if (end?.type === 'succeeded')
    return { status: 200, reply: { success: true, data: end.data, executionTimeMs } };
  const error =
    end?.type === 'failed' ? end.error : envelopeOf('EXECUTION_CANCELLED', { service: 'contract-test-kit' });
  const status = isErrorCode(error.code) ? httpStatusOf(error.code) : 500;
  return { status, reply: { success: false, error, executionTimeMs } };
}

function exchangeOf(offering: Offering, form: ExecutionForm): ExecutionExchange {
  const events = eventsOf(offering);
  const lines = events.map(({ event, afterMs }): ReplyLine => ({ text: JSON.stringify(event), afterMs }));
  const { status, reply } = replyOf(offering);
  const isJson = form === 'json';
  const text = isJson ? JSON.stringify(reply) : lines.map((line) => `${line.text}\n`).join('');
  return {
    request: offering.request,
    status: isJson ? status : 200,
    headers: { 'content-type': isJson ? 'application/json' : NDJSON },
    text,
    json: isJson ? reply : undefined,
    lines,
    durationMs: (endOf(offering.offered)?.at ?? performance.now()) - offering.sentAt,
    cut: endOf(offering.offered) === undefined,
    form,
    sent: [offering.offered.body],
    reply: isJson ? reply : undefined,
    events: isJson ? [] : events,
  };
}

function pushAlone(what: string): never {
  throw new NotApplicable(`${what} is spoken over push alone`);
}

/** Reads until there is something; NoAnswer when the case's time is up before. */
async function until<T>(read: () => T | undefined, offering: Offering, signal: AbortSignal): Promise<T> {
  for (;;) {
    const found = read();
    if (found !== undefined) return found;
    if (signal.aborted) {
      const { acceptedAt, recorded } = offering.offered;
      const claimed = acceptedAt.length > 0 ? 'claimed' : 'not claimed';
      throw new NoAnswer(
        offering.request,
        `no terminal event in time; it was ${claimed}, and ${recorded.length} events arrived`,
      );
    }
    await pause(POLL_MS, signal);
  }
}

function offer({ dialIn }: RecordingControlPlane, body: ExecutionBody): Offering {
  const sentAt = performance.now();
  const before = dialIn.book.offered.get(body.executionId);
  // Offered again: the same execution is told of once more, from its beginning.
  if (before) for (const list of [before.acceptedAt, before.recorded]) list.splice(0);
  const [offered] = dialIn.offer(body);
  if (!offered) throw new Error('nothing was offered');
  return { offered, sentAt, request: requestOf(body) };
}

/** A case may end without awaiting what it has started: that must not be an unhandled rejection of the kit. */
function awaitedLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

function cancelOver({ dialIn }: RecordingControlPlane, executionId: string): Promise<Exchange> {
  dialIn.direct({ kind: 'cancel', executionId, reason: 'user' });
  const request = { method: 'DIRECTIVE', url: `http://runner/executions/${executionId}/cancel` };
  const nothing = { headers: {}, text: '', json: undefined, lines: [], durationMs: 0, cut: false };
  return Promise.resolve({ request, status: 202, ...nothing });
}

/** A client that speaks to a runner which dialled in, for the time of one case. */
export function createLinkClient({ controlPlane, signal, onExchange }: LinkClientOptions): RunnerClient {
  async function finish(offering: Offering, form: ExecutionForm): Promise<ExecutionExchange> {
    await until(() => endOf(offering.offered), offering, signal);
    onExchange(exchangeOf(offering, 'ndjson'));
    return exchangeOf(offering, form);
  }

  async function executePatiently(body: ExecutionBody): Promise<ExecutionExchange> {
    for (let tries = 1; ; tries += 1) {
      const done = await finish(offer(controlPlane, body), 'json');
      if (done.reply?.error?.code !== 'RUNNER_BUSY' || tries === BUSY_TRIES) return done;
      await pause(BUSY_PAUSE_MS, signal);
    }
  }

  return {
    urls: { root: 'http://runner/', health: 'http://runner/health', execute: 'http://runner/execute' },
    send: () => pushAlone('HTTP to the runner'),
    get: () => pushAlone('HTTP to the runner'),
    executeOnce: (body) => awaitedLater(finish(offer(controlPlane, body), 'json')),
    execute: (body) => awaitedLater(executePatiently(body)),
    stream(body) {
      const offering = offer(controlPlane, body);
      const firstLine = until(() => eventsOf(offering)[0], offering, signal).then(
        ({ event, afterMs }): ReplyLine => ({ text: JSON.stringify(event), afterMs }),
        () => undefined,
      );
      return { firstLine, done: awaitedLater(finish(offering, 'ndjson')) };
    },
    batch: () => pushAlone('a batch'),
    cancel: (executionId) => cancelOver(controlPlane, executionId),
  };
}
