import type { Exchange } from '../exchange.js';
import { PATIENCE_MS } from '../pause.js';
import { ask, type JudgedPlane } from './plane-client.js';
import { playedRegistration, readOffer, type PlayedOffer, type PlayedRunner } from './played-runner.js';

type Frame = Readonly<Record<string, unknown>>;

function answerOf(exchange: Exchange): {
  code: string | undefined;
  seq?: number | undefined;
  exchange: Exchange;
} {
  const { error, acknowledgedSeq } = Object(exchange.json) as {
    readonly error?: { readonly code?: string };
    readonly acknowledgedSeq?: number;
  };
  const code = exchange.status < 300 ? undefined : (error?.code ?? `HTTP ${exchange.status}`);
  return { code, seq: acknowledgedSeq, exchange };
}

/** Registers a runner that polls; undefined where it is refused. */
export async function playPollingRunner(
  plane: JudgedPlane,
  { credential: given, changes }: { readonly credential: string | undefined; readonly changes?: Frame },
): Promise<PlayedRunner | undefined> {
  const { capability, ...registration } = playedRegistration('long-poll', changes);
  const reply = await ask(plane, ['POST', '/runners/register'], { body: registration, as: given });
  const registered = Object(reply.json) as {
    readonly runnerId?: unknown;
    readonly sessionCredential?: { readonly token?: string };
  };
  if (reply.status !== 200 || typeof registered.runnerId !== 'string') return undefined;
  const { runnerId } = registered;
  const credential = registered.sessionCredential?.token ?? given;
  const offers: PlayedOffer[] = [];
  const directives: Frame[] = [];

  async function poll(): Promise<void> {
    const { instanceId } = registration as { readonly instanceId?: unknown };
    const answer = await ask(plane, ['POST', `/runners/${runnerId}/poll`], {
      body: { instanceId, maxExecutions: 4 },
      as: credential,
    });
    const { frames } = Object(answer.json) as { readonly frames?: unknown };
    for (const frame of Array.isArray(frames) ? (frames as readonly unknown[]) : []) {
      const { type, executions, directives: told } = Object(frame) as Frame;
      if (type === 'offers' && Array.isArray(executions)) offers.push(...executions.map(readOffer));
      if (type === 'directives' && Array.isArray(told)) directives.push(...(told as Frame[]));
    }
  }

  /** Polls until there is something; a control plane that answers at once and empty is not flooded. */
  async function pollFor<T>(read: () => T | undefined, ms = PATIENCE_MS): Promise<T | undefined> {
    const until = performance.now() + ms;
    for (let found = read(); ; found = read()) {
      if (found !== undefined || performance.now() > until || plane.signal.aborted) return found;
      await Promise.all([poll(), new Promise((resolve) => setTimeout(resolve, 20))]);
    }
  }

  const post = async (path: string, body: object) =>
    answerOf(await ask(plane, ['POST', path], { body, as: credential }));
  return {
    runnerId,
    ...{ capability, registration, registered: reply.json, credential },
    offer: (ms) => pollFor(() => offers.shift(), ms),
    accept: ({ executionId, leaseToken }) => post(`/executions/${executionId}/accept`, { leaseToken }),
    tell: ({ executionId, leaseToken }, ...events) =>
      post(`/executions/${executionId}/events`, { leaseToken, events }),
    directive: (kind, ms) => pollFor(() => directives.find((one) => one['kind'] === kind), ms),
    close: async (signal = plane.signal) => {
      const { instanceId } = registration as { readonly instanceId?: unknown };
      const asking = { body: { instanceId }, as: credential };
      await ask({ ...plane, signal }, ['POST', `/runners/${runnerId}/deregister`], asking);
    },
  };
}
