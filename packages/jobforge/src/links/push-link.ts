import { NDJSON, RunnerHealth } from '@controlplane/contracts';
import type { ClientRequest } from 'node:http';
import type { Clock } from '../model/clock.js';
import type { DispatchSigner } from './dispatch-signature.js';
import { exchangeJson, exchangeStream, type Exchange } from './execution-stream.js';
import { createHttpSender, readBody, type HttpSender } from './http-post.js';
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
  /** Signs every request to the execute URL and to cancel; undefined where the runner did not ask for that. */
  readonly signer?: DispatchSigner | undefined;
  /** Hears that there is something to flush. */
  readonly onDue: () => void;
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

function formOf(features: readonly string[]): 'json' | 'ndjson' | 'batch' {
  if (features.includes('batch')) return 'batch';
  return features.includes('ndjson') ? 'ndjson' : 'json';
}

function readHealth(body: string): RunnerHealth['status'] | undefined {
  try {
    return RunnerHealth.safeParse(JSON.parse(body)).data?.status;
  } catch {
    return undefined;
  }
}

/** What a link has under way. */
interface Traffic {
  /** By execution; those of a batch share one. */
  readonly exchanges: Map<string, Exchange>;
  open: number;
}

/** Posts executions and listens to the reply. */
function createPost(
  options: PushLinkOptions,
  sender: HttpSender,
  traffic: Traffic,
): (batch: readonly Pending[]) => void {
  const url = new URL(options.executeUrl);
  const form = formOf(options.features);
  const headers = {
    'content-type': form === 'batch' ? NDJSON : JSON_TYPE,
    accept: form === 'json' ? JSON_TYPE : NDJSON,
  };
  const now = (): string => new Date(options.clock.now()).toISOString();

  return (batch) => {
    const listeners = new Map(batch.map(({ request, listener }) => [request.executionId, listener]));
    const bodies = batch.map(({ request }) => request.body);
    // As bytes once: it is measured, signed and sent.
    const body = Buffer.from(form === 'batch' ? `${bodies.join('\n')}\n` : bodies.join(''));
    traffic.open += 1;
    const request = sender.send({
      method: 'POST',
      url,
      headers: { ...headers, ...options.signer?.headers(body) },
      body,
    });
    // What is remembered until then are ids: the bodies are garbage as soon as they are sent.
    const ids = batch.map(({ request: { executionId } }) => executionId);
    const ended = (): void => {
      traffic.open -= 1;
      for (const id of ids) if (traffic.exchanges.get(id) === exchange) traffic.exchanges.delete(id);
    };
    const exchange: Exchange = { request, listeners, maxBytes: options.maxBodyBytes, now, ended };
    for (const id of ids) traffic.exchanges.set(id, exchange);
    if (form === 'json') exchangeJson(exchange);
    else exchangeStream(exchange);
  };
}

function sendCancel(
  sender: HttpSender,
  { clock, signer }: PushLinkOptions,
  { url, body }: { url: URL; body: string },
): void {
  const headers = { 'content-type': JSON_TYPE, ...signer?.headers(body) };
  const request = sender.send({ method: 'POST', url, headers, body });
  // Whether it arrived is told by the execution's own end, or by its grace.
  request.on('error', () => undefined);
  request.on('response', (response) => response.resume());
  limitTime(request, clock);
}

/** The most bytes that the bodies of a batch can have. */
const mostBytes = (batch: readonly Pending[]): number =>
  batch.reduce((most, { request }) => most + request.body.length * 3 + 1, 0);

/** Cuts a batch so that no request is larger than its reader takes, unless one execution alone is. */
function inParts(batch: readonly Pending[], maxBytes: number): (readonly Pending[])[] {
  // Counting bytes costs more than it saves where there is room enough.
  if (mostBytes(batch) <= maxBytes) return [batch];
  const parts: Pending[][] = [];
  let bytes = Infinity;
  for (const one of batch) {
    const size = Buffer.byteLength(one.request.body) + 1;
    bytes += size;
    const last = parts.at(-1);
    if (last !== undefined && bytes <= maxBytes) last.push(one);
    else {
      parts.push([one]);
      bytes = size;
    }
  }
  return parts;
}

/** A link to a runner that listens: each flush is one request where the runner takes batches, else one an execution. */
export function createPushLink(options: PushLinkOptions): RunnerLink {
  const { features, clock, executeUrl } = options;
  const sender = createHttpSender();
  const traffic: Traffic = { exchanges: new Map(), open: 0 };
  const post = createPost(options, sender, traffic);
  let pending: Pending[] = [];
  let closed = false;

  return {
    canReattach: formOf(features) !== 'json',
    confirmsAccepts: false,
    isConnected: () => true,
    hasRoom: () => !closed && traffic.open < options.maxStreams,
    dispatch(request, listener) {
      pending.push({ request, listener });
      options.onDue();
    },
    flush() {
      if (pending.length === 0 || closed) return false;
      const batch = pending;
      pending = [];
      if (formOf(features) === 'batch') for (const part of inParts(batch, options.maxBodyBytes)) post(part);
      else for (const one of batch) post([one]);
      return pending.length > 0;
    },
    cancel(executionId, cancellation) {
      if (features.includes('cancel')) {
        const body = JSON.stringify(cancellation);
        return sendCancel(sender, options, { url: cancelUrl(executeUrl, executionId), body });
      }
      const exchange = traffic.exchanges.get(executionId);
      // Others may share the request of a batch: it is left open for them.
      if (exchange !== undefined && exchange.listeners.size <= 1) exchange.request.destroy();
    },
    interrupt: (executionId) => void traffic.exchanges.get(executionId)?.request.destroy(),
    forget(executionId) {
      pending = pending.filter(({ request }) => request.executionId !== executionId);
      const exchange = traffic.exchanges.get(executionId);
      if (exchange?.listeners.delete(executionId) && exchange.listeners.size === 0)
        exchange.request.destroy();
    },
    probe: () => probe(sender.send({ method: 'GET', url: new URL(options.healthUrl) }), clock),
    close() {
      closed = true;
      pending = [];
      for (const exchange of traffic.exchanges.values()) {
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
