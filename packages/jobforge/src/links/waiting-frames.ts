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
  /** Drops the answers: whoever they were for has gone. */
  dropAnswers(): void;
  clear(): void;
}

export function createWaitingFrames(maxBatchBytes: number): WaitingFrames {
  const offers = new Map<string, LinkRequest>();
  const directives = new Map<string, Directive>();
  let confirmed: Outgoing['confirmed'][number][] = [];
  /** By execution: the highest seq says it of all before it. */
  const acknowledged = new Map<string, Outgoing['acknowledged'][number]>();

  const takeOffers = (room: number): LinkRequest[] => {
    const taken: LinkRequest[] = [];
    let bytes = 0;
    for (const request of offers.values()) {
      bytes += Buffer.byteLength(request.body);
      if (taken.length >= room || (bytes > maxBatchBytes && taken.length > 0)) break;
      taken.push(request);
      offers.delete(request.executionId);
    }
    return taken;
  };
  const dropAnswers = (): void => {
    confirmed = [];
    acknowledged.clear();
  };

  return {
    offer: (request) => void offers.set(request.executionId, request),
    withdraw: (executionId) => void offers.delete(executionId),
    offers: () => offers.size,
    direct: (key, directive) => void directives.set(key, directive),
    confirm: (executionId, code) =>
      void confirmed.push(code === undefined ? { executionId } : { executionId, code }),
    acknowledge(executionId, seq, code) {
      const said = acknowledged.get(executionId);
      if (code !== undefined) acknowledged.set(executionId, { executionId, seq, code });
      else if (said === undefined || (said.code === undefined && said.seq < seq))
        acknowledged.set(executionId, { executionId, seq });
    },
    take(room) {
      const out = {
        offers: takeOffers(room),
        confirmed,
        acknowledged: [...acknowledged.values()],
        directives: [...directives.values()],
      };
      dropAnswers();
      directives.clear();
      const some = Object.values(out).some(({ length }) => length > 0);
      return some ? out : undefined;
    },
    dropAnswers,
    clear() {
      offers.clear();
      directives.clear();
      dropAnswers();
    },
  };
}
