/**
 * @module
 * The other end of a runner that dials in: executions that were offered to it and what it told of them, over a
 * socket or by polls. Plays JobForge; judges nothing.
 */
import { ExecutionEvent } from '@controlplane/contracts';
import type { ExecutionBody } from '../runner-client.js';

/** Why an execution is not, or no longer, the runner's. */
export type Denial = 'LEASE_SUPERSEDED' | 'EXECUTION_NOT_FOUND';

/** What is answered to a claim or to events: nothing at all when it is withheld. */
export type Verdict = Denial | 'withhold' | undefined;

/** An event as a runner told it. */
export interface ToldEvent {
  readonly event: ExecutionEvent;
  readonly at: number;
  /** The socket that it came over; undefined for a request. */
  readonly connection: number | undefined;
}

/** One execution that was offered. */
export interface Offered {
  readonly body: ExecutionBody;
  /** When it was handed to the runner, each time. */
  readonly handedAt: number[];
  /** When the runner claimed it, each time. */
  readonly acceptedAt: number[];
  /** Whether a claim was confirmed. */
  confirmed: boolean;
  /** Every event as it came, repeated ones too. */
  readonly told: ToldEvent[];
  /** Events of a later seq than those before. */
  readonly recorded: ToldEvent[];
  /** Requests or shares of frames that carried its events. */
  messages: number;
}

/** What of an execution is decided anew each time. */
export interface OfferPolicy {
  /** What a claim is answered with; default: confirmed. */
  readonly onAccept?: ((offered: Offered) => Verdict) | undefined;
  /** What events are answered with, when they are among those told; default: acknowledged. */
  readonly onEvents?: ((offered: Offered) => Verdict) | undefined;
}

/** A claim, or events, of one execution. */
export interface Told {
  readonly executionId: string;
  readonly leaseToken?: string | undefined;
  readonly events?: readonly unknown[] | undefined;
  readonly connection?: number | undefined;
}

export interface OfferBook {
  readonly offered: ReadonlyMap<string, Offered>;
  add(body: ExecutionBody): Offered;
  accept(told: Told): Verdict;
  /** @returns the seq that is acknowledged, or why not */
  tell(told: Told): { readonly seq: number } | { readonly verdict: Exclude<Verdict, undefined> };
}

const isEnd = ({ event }: ToldEvent): boolean => ['succeeded', 'failed', 'cancelled'].includes(event.type);

/** The last event of an execution, if it was told. */
export function endOf({ recorded }: Offered): ToldEvent | undefined {
  return recorded.find(isEnd);
}

/** Offers an execution anew to a runner that comes back without it: what was claimed is lost. */
export function reopen(offered: Offered): boolean {
  if (endOf(offered) !== undefined) return false;
  offered.confirmed = false;
  return true;
}

export function createOfferBook(policy: OfferPolicy): OfferBook {
  const offered = new Map<string, Offered>();
  const denial = ({ executionId, leaseToken }: Told): Denial | undefined => {
    const found = offered.get(executionId);
    if (!found) return 'EXECUTION_NOT_FOUND';
    return found.body['leaseToken'] === leaseToken ? undefined : 'LEASE_SUPERSEDED';
  };
  const record = (found: Offered, { events, connection }: Told): number => {
    found.messages += 1;
    // Whatever a runner sends: what is no list holds no events.
    for (const value of Array.isArray(events) ? (events as readonly unknown[]) : []) {
      const event = ExecutionEvent.safeParse(value).data;
      if (!event) continue;
      const told = { event, at: performance.now(), connection };
      const last = found.recorded.at(-1)?.event.seq ?? -1;
      found.told.push(told);
      if (event.seq > last) found.recorded.push(told);
    }
    return found.recorded.at(-1)?.event.seq ?? 0;
  };
  return {
    offered,
    add(body) {
      const found = offered.get(body.executionId);
      if (found) return found;
      const fresh: Offered = {
        body,
        handedAt: [],
        acceptedAt: [],
        confirmed: false,
        told: [],
        recorded: [],
        messages: 0,
      };
      offered.set(body.executionId, fresh);
      return fresh;
    },
    accept(told) {
      const refused = denial(told);
      const found = offered.get(told.executionId);
      if (!found || refused) return refused;
      found.acceptedAt.push(performance.now());
      const verdict = policy.onAccept?.(found);
      if (verdict === undefined) found.confirmed = true;
      return verdict;
    },
    tell(told) {
      const refused = denial(told);
      const found = offered.get(told.executionId);
      if (!found || refused) return { verdict: refused ?? 'EXECUTION_NOT_FOUND' };
      const seq = record(found, told);
      const verdict = policy.onEvents?.(found);
      return verdict === undefined ? { seq } : { verdict };
    },
  };
}
