import type { Exchange } from '../harness/exchange.js';
import { PATIENCE_MS, pause } from '../harness/pause.js';
import type { Asking } from '../harness/played/plane-client.js';
import type { PlayedOffer, PlayedRunner } from '../harness/played/played-runner.js';
import type { PushedRunner } from '../harness/played/pushed-runner.js';
import { memberOf, must, mustReply } from './expect.js';
import { showReply } from './wire-rules.js';

/** What a case about a control plane is given. Runners that it plays are taken away when it ends. */
export interface PlaneContext {
  readonly url: string;
  /** Undefined where the control plane asks for none. */
  readonly token: string | undefined;
  readonly signal: AbortSignal;
  ask(method: string, path: string, asking?: Asking): Promise<Exchange>;
  /** A runner that dials in. Broken where it cannot register. */
  runner(kind: 'websocket' | 'long-poll', changes?: Readonly<Record<string, unknown>>): Promise<PlayedRunner>;
  /** A runner that listens and does at once what it is sent. */
  pushedRunner(): Promise<PushedRunner>;
  /** A runner's own credential for its registration; undefined where none is asked for. */
  enrollment(): Promise<string | undefined>;
}

export interface PlaneCase {
  readonly id: string;
  /** Milliseconds that it takes at least, where that is long. */
  readonly leastMs?: number;
  readonly judge: (context: PlaneContext) => Promise<void>;
}

/** A job as a client submits it. */
export function jobFor(capability: string, changes: Readonly<Record<string, unknown>> = {}): object {
  return { type: capability, payload: { type: capability, data: { text: 'hello' } }, ...changes };
}

/** Submits a job; broken where it is not taken. */
export async function submit(
  context: PlaneContext,
  capability: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const exchange = await context.ask('POST', '/jobs', { body: jobFor(capability, changes) });
  const { id } = Object(exchange.json) as { readonly id?: unknown };
  must(exchange.status === 202 && typeof id === 'string', {
    expected: '202 and a job with an id',
    actual: showReply(exchange),
    exchange,
  });
  return id;
}

/** The next offer; broken when none comes. */
export async function mustOffer(runner: PlayedRunner, sent: string): Promise<PlayedOffer> {
  const offer = await runner.offer();
  must(offer, { sent, expected: 'an offer', actual: 'none' });
  return offer;
}

export interface Running {
  readonly runner: PlayedRunner;
  readonly offer: PlayedOffer;
  readonly id: string;
}

/** A job whose execution was claimed. */
export async function begin(
  context: PlaneContext,
  kind: 'websocket' | 'long-poll',
  changes: Readonly<Record<string, unknown>> = {},
): Promise<Running> {
  const runner = await context.runner(kind);
  const id = await submit(context, runner.capability, changes);
  const offer = await mustOffer(runner, 'a job');
  const { code } = await runner.accept(offer);
  must(code === undefined, { sent: 'a claim', expected: 'a confirmation', actual: String(code) });
  return { runner, offer, id };
}

/** Between two looks at a job. */
const LOOK_MS = 30;
/** Where it is waited for longer than patience: a control plane that is measured meanwhile is not troubled. */
const SELDOM_MS = 500;

/** Looks at a job until it is as wanted, or for as long as patience lasts. */
export async function jobWhere(
  context: PlaneContext,
  id: string,
  { fits, ms = PATIENCE_MS }: { readonly fits: (status: unknown) => boolean; readonly ms?: number },
): Promise<Exchange> {
  const until = performance.now() + ms;
  for (;;) {
    const exchange = await context.ask('GET', `/jobs/${id}`);
    const isOver = performance.now() > until || context.signal.aborted;
    if (isOver || fits(memberOf(exchange.json, 'status'))) return exchange;
    await pause(ms > PATIENCE_MS ? SELDOM_MS : LOOK_MS, context.signal);
  }
}

/** Waits until a job has completed with what the kit's runner returns. */
export async function mustComplete(context: PlaneContext, id: string): Promise<void> {
  const exchange = await jobWhere(context, id, {
    fits: (status) => status === 'completed' || status === 'failed',
  });
  const data = memberOf(exchange.json, 'result', 'data', 'played');
  mustReply(
    memberOf(exchange.json, 'status') === 'completed' && data === true,
    'the job completed, with what the runner returned',
    exchange,
  );
}
