import { CLOSE_CODES, type Directive } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';
import type { LinkRequest, RunnerLink } from './runner-link.js';

/** Why an execution is not, or no longer, the runner's. */
export type Denial = 'LEASE_SUPERSEDED' | 'EXECUTION_NOT_FOUND';

/** What is said to a runner with one flush. */
export interface Outgoing {
  readonly offers: readonly LinkRequest[];
  readonly confirmed: readonly { readonly executionId: string; readonly code?: Denial }[];
  readonly acknowledged: readonly {
    readonly executionId: string;
    readonly seq: number;
    readonly code?: Denial;
  }[];
  readonly directives: readonly Directive[];
}

/** What carries frames to a runner for as long as it stands: a socket, or one poll. */
export interface LinkConnection {
  /** Offers that it takes now. */
  room(): number;
  send(out: Outgoing): void;
  /** Whether the runner answers, within three seconds. */
  probe(): Promise<boolean>;
  close(code: number, reason: string): void;
}

/**
 * A link to a runner that dials in. It stands for as long as the runner is registered, whatever becomes of the
 * connections under it. What the runner tells goes past it, to whoever holds the connection, and so does word that
 * a connection is lost: listeners are never called.
 */
export interface SessionLink extends RunnerLink {
  connection(): LinkConnection | undefined;
  /** Puts a connection under it; one that is there is closed. */
  attach(connection: LinkConnection): void;
  /** Takes a connection away; false where another one has taken its place. */
  detach(connection: LinkConnection): boolean;
  /** Whether the runner connects within three seconds. */
  comesBack(): Promise<boolean>;
  /** Answers a claim. */
  confirm(executionId: string, code?: Denial): void;
  /** Says that what the runner told of an execution need not be kept up to `seq`. */
  acknowledge(executionId: string, seq: number): void;
  /** Says that an execution is not the runner's. */
  deny(executionId: string, code: Denial): void;
  /** Says that JobForge goes away, and lets go of the connection. */
  dismiss(afterMs: number): void;
}

export interface SessionLinkOptions {
  /** Bytes of offers in one message. */
  readonly maxBatchBytes: number;
  /** How long the runner counts as connected after its last connection. */
  readonly lingerMs: number;
  readonly clock: Clock;
}

/** How long a runner may take to answer whether it is there. */
export const PROBE_MS = 3_000;

/** What gathers until it can be sent. */
interface Waiting {
  readonly offers: Map<string, LinkRequest>;
  /** By execution, or by kind: what is said twice is sent once. */
  readonly directives: Map<string, Directive>;
  confirmed: { executionId: string; code?: Denial }[];
  acknowledged: { executionId: string; seq: number; code?: Denial }[];
}

function takeOffers({ offers }: Waiting, room: number, maxBytes: number): LinkRequest[] {
  const taken: LinkRequest[] = [];
  let bytes = 0;
  for (const request of offers.values()) {
    bytes += Buffer.byteLength(request.body);
    if (taken.length >= room || (bytes > maxBytes && taken.length > 0)) break;
    taken.push(request);
    offers.delete(request.executionId);
  }
  return taken;
}

/** Takes out what may go now; undefined where there is nothing. */
function take(waiting: Waiting, room: number, maxBytes: number): Outgoing | undefined {
  const offers = takeOffers(waiting, room, maxBytes);
  const { confirmed, acknowledged, directives } = waiting;
  if (offers.length + confirmed.length + acknowledged.length + directives.size === 0) return undefined;
  waiting.confirmed = [];
  waiting.acknowledged = [];
  const out = { offers, confirmed, acknowledged, directives: [...directives.values()] };
  directives.clear();
  return out;
}

export function createSessionLink(options: SessionLinkOptions): SessionLink {
  const { maxBatchBytes, lingerMs, clock } = options;
  const waiting: Waiting = { offers: new Map(), directives: new Map(), confirmed: [], acknowledged: [] };
  let current: LinkConnection | undefined;
  let detachedAt = -Infinity;
  const awaiting: (() => void)[] = [];

  const flush = (): void => {
    for (;;) {
      if (current === undefined) return;
      const out = take(waiting, current.room(), maxBatchBytes);
      if (out === undefined) return;
      current.send(out);
    }
  };
  /** What was to be said about a connection's own words has nobody to be said to. */
  const clear = (): void => {
    waiting.confirmed = [];
    waiting.acknowledged = [];
  };
  const detach: SessionLink['detach'] = (connection) => {
    if (current !== connection) return false;
    current = undefined;
    detachedAt = clock.now();
    clear();
    return true;
  };
  const isConnected = (): boolean => current !== undefined || clock.now() - detachedAt <= lingerMs;
  const comesBack = (): Promise<boolean> =>
    new Promise((resolve) => {
      const stop = clock.after(PROBE_MS, () => resolve(false));
      awaiting.push(() => {
        stop();
        resolve(true);
      });
    });

  return {
    canReattach: true,
    confirmsAccepts: true,
    isConnected,
    hasRoom: () => current !== undefined && current.room() > waiting.offers.size,
    dispatch: (request) => void waiting.offers.set(request.executionId, request),
    flush,
    cancel(executionId, { reason }) {
      waiting.directives.set(executionId, { kind: 'cancel', executionId, reason });
      flush();
    },
    // One connection carries all executions: none is broken for one of them.
    interrupt: () => undefined,
    forget: (executionId) => void waiting.offers.delete(executionId),
    acknowledge: (executionId, seq) => void waiting.acknowledged.push({ executionId, seq }),
    async probe() {
      if (!isConnected()) return undefined;
      return (await (current === undefined ? comesBack() : current.probe())) ? 'alive' : undefined;
    },
    connection: () => current,
    comesBack,
    attach(connection) {
      const before = current;
      if (before === connection) return;
      clear();
      current = connection;
      for (const back of awaiting.splice(0)) back();
      before?.close(CLOSE_CODES.replaced, 'Another connection of this runner took its place.');
    },
    detach,
    confirm: (executionId, code) =>
      void waiting.confirmed.push(code === undefined ? { executionId } : { executionId, code }),
    deny: (executionId, code) => void waiting.acknowledged.push({ executionId, seq: 0, code }),
    dismiss(afterMs) {
      waiting.directives.set('reconnect', { kind: 'reconnect', afterMs });
      flush();
      current?.close(1001, 'JobForge is shutting down.');
    },
    close() {
      waiting.offers.clear();
      waiting.directives.clear();
      clear();
      const before = current;
      current = undefined;
      before?.close(1000, 'The runner has left.');
    },
  };
}
