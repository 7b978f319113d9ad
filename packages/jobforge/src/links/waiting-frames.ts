import type { Directive } from '@controlplane/contracts';
import type { LinkRequest } from './runner-link.js';

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

/** What is to be said to a runner, until it can be. */
export interface WaitingFrames {
  offer(request: LinkRequest): void;
  /** Takes an offer out that was not sent. */
  withdraw(executionId: string): void;
  offers(): number;
  /** What is said twice of the same is sent once. */
  direct(key: string, directive: Directive): void;
  confirm(executionId: string, code: Denial | undefined): void;
  acknowledge(executionId: string, seq: number, code?: Denial): void;
  /** Takes out what may go now, offers up to a number and a size; undefined where there is nothing. */
  take(room: number): Outgoing | undefined;
  /** Whether there is anything to be said. */
  some(): boolean;
  /** Drops the answers: whoever they were for has gone. */
  dropAnswers(): void;
  clear(): void;
}

/** Takes offers out, up to a number and a size. */
function takeOffers(
  offers: Map<string, LinkRequest>,
  { room, maxBytes }: { readonly room: number; readonly maxBytes: number },
): LinkRequest[] {
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

/**
 * Makes an empty one.
 * @param maxBatchBytes - of offers in one message
 * @param onSome - called with each thing that is to be said
 */
export function createWaitingFrames(maxBatchBytes: number, onSome: () => void): WaitingFrames {
  const offers = new Map<string, LinkRequest>();
  // Undefined while there are none: idle runners are many.
  let directives: Map<string, Directive> | undefined;
  let confirmed: Outgoing['confirmed'][number][] | undefined;
  /** By execution: the highest seq says it of all before it. */
  let acknowledged: Map<string, Outgoing['acknowledged'][number]> | undefined;

  const dropAnswers = (): void => {
    confirmed = undefined;
    acknowledged = undefined;
  };

  return {
    offer(request) {
      offers.set(request.executionId, request);
      onSome();
    },
    withdraw: (executionId) => void offers.delete(executionId),
    offers: () => offers.size,
    direct(key, directive) {
      (directives ??= new Map()).set(key, directive);
      onSome();
    },
    confirm(executionId, code) {
      (confirmed ??= []).push(code === undefined ? { executionId } : { executionId, code });
      onSome();
    },
    acknowledge(executionId, seq, code) {
      acknowledged ??= new Map();
      const said = acknowledged.get(executionId);
      if (code !== undefined) acknowledged.set(executionId, { executionId, seq, code });
      else if (said === undefined || (said.code === undefined && said.seq < seq))
        acknowledged.set(executionId, { executionId, seq });
      onSome();
    },
    take(room) {
      const out = {
        offers: takeOffers(offers, { room, maxBytes: maxBatchBytes }),
        confirmed: confirmed ?? [],
        acknowledged: [...(acknowledged?.values() ?? [])],
        directives: [...(directives?.values() ?? [])],
      };
      dropAnswers();
      directives = undefined;
      const some = Object.values(out).some(({ length }) => length > 0);
      return some ? out : undefined;
    },
    some: () =>
      offers.size > 0 || confirmed !== undefined || acknowledged !== undefined || directives !== undefined,
    dropAnswers,
    clear() {
      offers.clear();
      directives = undefined;
      dropAnswers();
    },
  };
}
