import { NDJSON, RunnerHealth } from '@controlplane/contracts';
import type { ClientRequest } from 'node:http';
import type { Clock } from '../model/clock.js';
import { exchangeJson, exchangeStream, type Exchange } from './execution-stream.js';
import { createHttpSender, readBody } from './http-post.js';
import type { LinkListener, LinkRequest, RunnerLink } from './runner-link.js';

export interface PushLinkOptions {
  readonly executeUrl: string;
  readonly healthUrl: string;
  /** What the runner registered. Decides the form. */
  readonly features: readonly string[];
  /** Of one reply in the JSON form, of one line in the others. */
  readonly maxBodyBytes: number;
  /** Requests that may be open at once. */
  readonly maxStreams: number;
  readonly clock: Clock;
}

interface Pending {
  readonly request: LinkRequest;
  readonly listener: LinkListener;
}

const PROBE_MS = 3_000;
const MAX_PROBE_BYTES = 64 * 1024;
const JSON_TYPE = 'application/json';

/** Where executions are cancelled: beside the execute URL. */
function cancelUrl(executeUrl: string, executionId: string): URL {
  return new URL(`executions/${encodeURIComponent(executionId)}/cancel`, executeUrl);
}

function readHealth(body: string): RunnerHealth['status'] | undefined {
  try {
    return RunnerHealth.safeParse(JSON.parse(body)).data?.status;
  } catch {
    return undefined;
  }
}

/** A link to a runner that listens: each flush is one request where the runner takes batches, else one an execution. */
export function createPushLink(options: PushLinkOptions): RunnerLink {
  const { features, clock } = options;
  const executeUrl = new URL(options.executeUrl);
  const batches = features.includes('batch');
  const streams = batches || features.includes('ndjson');
  const headers = { 'content-type': batches ? NDJSON : JSON_TYPE, accept: streams ? NDJSON : JSON_TYPE };
  const sender = createHttpSender();
  const exchanges = new Map<string, Exchange>();
  const now = (): string => new Date(clock.now()).toISOString();
  let pending: Pending[] = [];
  let open = 0;
  let closed = false;

  const post = (batch: readonly Pending[]): void => {
    const listeners = new Map(batch.map(({ request, listener }) => [request.executionId, listener]));
    const body = batches ? `${batch.map(({ request }) => request.body).join('\n')}\n` : (batch[0]?.request.body ?? '');
    open += 1;
    const request = sender.send({ method: 'POST', url: executeUrl, headers, body });
    const ended = (): void => {
      open -= 1;
      for (const { request: { executionId } } of batch) {
        if (exchanges.get(executionId) === exchange) exchanges.delete(executionId);
      }
    };
    const exchange: Exchange = { request, listeners, maxBytes: options.maxBodyBytes, now, ended };
    for (const id of listeners.keys()) exchanges.set(id, exchange);
    if (streams) exchangeStream(exchange);
    else exchangeJson(exchange);
  };

  const sendCancel = (url: URL, body: string): void => {
    const request = sender.send({ method: 'POST', url, headers: { 'content-type': JSON_TYPE }, body });
    // Whether it arrived is told by the execution's own end, or by its grace.
    request.on('error', () => undefined);
    request.on('response', (response) => response.resume());
    limitTime(request, clock);
  };

  return {
    canReattach: streams,
    hasRoom: () => !closed && open < options.maxStreams,
    dispatch: (request, listener) => void pending.push({ request, listener }),
    flush() {
      if (pending.length === 0 || closed) return;
      const batch = pending;
      pending = [];
      if (batches) post(batch);
      else for (const one of batch) post([one]);
    },
    cancel(executionId, { reason, leaseToken }) {
      if (features.includes('cancel')) {
        sendCancel(cancelUrl(options.executeUrl, executionId), JSON.stringify({ reason, leaseToken }));
        return;
      }
      const exchange = exchanges.get(executionId);
      // Others may share the request of a batch: it is left open for them.
      if (exchange !== undefined && exchange.listeners.size <= 1) exchange.request.destroy();
    },
    forget(executionId) {
      pending = pending.filter(({ request }) => request.executionId !== executionId);
      exchanges.get(executionId)?.listeners.delete(executionId);
    },
    probe: () => probe(sender.send({ method: 'GET', url: new URL(options.healthUrl) }), clock),
    close() {
      closed = true;
      pending = [];
      for (const exchange of exchanges.values()) {
        exchange.listeners.clear();
        exchange.request.destroy();
      }
      sender.close();
    },
  };
}

function limitTime(request: ClientRequest, clock: Clock): void {
  const cancel = clock.after(PROBE_MS, () => request.destroy());
  request.on('close', cancel);
}

/** Any readable status counts as life, whatever the HTTP status. */
function probe(request: ClientRequest, clock: Clock): ReturnType<RunnerLink['probe']> {
  limitTime(request, clock);
  return new Promise((resolve) => {
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
    request.on('response', (response) =>
      readBody(response, MAX_PROBE_BYTES, (outcome) => {
        const status = 'body' in outcome ? readHealth(outcome.body) : undefined;
        resolve(status === 'unknown' ? 'degraded' : status);
      }),
    );
  });
}
