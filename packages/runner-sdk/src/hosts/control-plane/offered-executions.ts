import {
  DurationMs,
  envelopeOf,
  Identifier,
  isTerminalEvent,
  RunnerExecutionRequest,
  type ExecutionEvent,
} from '@controlplane/contracts';
import type { ExecutionRequest, Subscription } from '../../execution/execute.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import type { HostedRunner } from '../host.js';
import { issueDetails, sayDetails } from './error-reply.js';
import type { Outbox } from './outbox.js';

/** One execution that was offered to this runner and that the control plane may still want to hear of. */
export interface OfferedExecution {
  readonly executionId: string;
  leaseToken: string | undefined;
  subscription: Pick<Subscription, 'eventsFrom' | 'dataJson' | 'acknowledge' | 'detach'> | undefined;
  /** Settled by the answer to the accept; undefined once the handler may run. */
  claim: Deferred<boolean> | undefined;
  /** The execution has said that it is accepted, so that it can be claimed. */
  isClaimable: boolean;
  /** It was not accepted: its one event is a refusal. */
  isRefusal: boolean;
  /** The last event that was sent over the connection that there is now; -1 before the first. */
  sentSeq: number;
  acknowledgedSeq: number;
  /** The last event of all, once there is one. */
  terminalSeq: number | undefined;
}

/** Carries what is to be said of executions. Both look at the execution later, when they send. */
export interface OfferWire {
  /** The execution is to be claimed. */
  accept(execution: OfferedExecution): void;
  /** There are events to be sent. */
  events(execution: OfferedExecution): void;
}

/** Whether an execution is not, or no longer, this runner's. */
export type Verdict = 'LEASE_SUPERSEDED' | 'EXECUTION_NOT_FOUND' | undefined;

/** The executions that came over one session, from their offer until their end is acknowledged. */
export interface OfferedExecutions {
  /** Where accepts and events go from now on. */
  wire: OfferWire;
  /** Takes an offer as it came. */
  offer(value: unknown): void;
  /** Answers a claim. */
  confirm(executionId: string, verdict: Verdict): void;
  /** The control plane has the events up to `seq`, or wants none. */
  acknowledge(executionId: string, seq: number, verdict: Verdict): void;
  /** What this process has: confirmed and running, or ended and not acknowledged. */
  held(): string[];
  /** What runs, or waits for its claim. */
  running(): string[];
  /** Ends that are not acknowledged. */
  unacknowledged(): number;
  /** The connection is gone: what was not confirmed over it is not this runner's, and goes back to the queue. */
  onLinkLost(): void;
  /** There is a connection: what the control plane has not acknowledged is said again. */
  onLinkUp(): void;
  /** Resolves when nothing is held any more. */
  whenEmpty(): Promise<void>;
}

/** The time limit that is not named is the capability's to say, so that it must not be defaulted here. */
const Offer = RunnerExecutionRequest.extend({ timeoutMs: DurationMs.optional() });

/** The events of an execution that have not been sent, as far as they are kept. */
export function unsentEvents(execution: OfferedExecution): ExecutionEvent[] {
  const { subscription, sentSeq, claim, isRefusal } = execution;
  if (claim && !isRefusal) return [];
  return subscription?.eventsFrom(sentSeq + 1) ?? [];
}

function refusedOffer(value: unknown, error: { readonly issues: Parameters<typeof issueDetails>[0] }, service: string) {
  const given = (typeof value === 'object' && value !== null ? value : {}) as {
    readonly executionId?: unknown;
    readonly jobId?: unknown;
    readonly leaseToken?: unknown;
  };
  const id = Identifier.safeParse(given.executionId ?? given.jobId);
  if (!id.success) return undefined;
  const details = issueDetails(error.issues);
  const event: ExecutionEvent = {
    type: 'failed',
    executionId: id.data,
    seq: 0,
    at: new Date().toISOString(),
    executionTimeMs: 0,
    error: envelopeOf('VALIDATION_ERROR', { service, message: sayDetails(details), details }),
  };
  const leaseToken = typeof given.leaseToken === 'string' ? given.leaseToken : undefined;
  return { executionId: id.data, leaseToken, event };
}

/** A hold on events that are all there is: of an earlier process, or of an offer that could not be read. */
function fixedEvents(events: readonly ExecutionEvent[]): NonNullable<OfferedExecution['subscription']> {
  return {
    eventsFrom: (seq) => events.filter((event) => event.seq >= seq),
    dataJson: () => undefined,
    acknowledge: () => undefined,
    detach: () => undefined,
  };
}

/** Makes the set, empty but for what an earlier process could not hand over. */
export function createOfferedExecutions(
  runner: HostedRunner,
  outbox: Outbox | undefined,
  wire: OfferWire,
): OfferedExecutions {
  const byId = new Map<string, OfferedExecution>();
  let empty: Deferred<void> | undefined;

  function add(executionId: string, leaseToken: string | undefined): OfferedExecution {
    const execution: OfferedExecution = {
      executionId,
      leaseToken,
      subscription: undefined,
      claim: undefined,
      isClaimable: false,
      isRefusal: false,
      sentSeq: -1,
      acknowledgedSeq: -1,
      terminalSeq: undefined,
    };
    byId.set(executionId, execution);
    return execution;
  }

  function remove(execution: OfferedExecution): void {
    execution.subscription?.detach();
    byId.delete(execution.executionId);
    if (execution.terminalSeq !== undefined) outbox?.remove(execution.executionId);
    if (byId.size > 0) return;
    empty?.resolve();
    empty = undefined;
  }

  /** It is not this runner's: it stops, and nothing more is said of it. */
  function drop(execution: OfferedExecution): void {
    const { claim, executionId, terminalSeq } = execution;
    remove(execution);
    if (claim) claim.resolve(false);
    else if (terminalSeq === undefined) runner.cancel(executionId, 'lease-lost');
  }

  function take(execution: OfferedExecution, event: ExecutionEvent): void {
    if (event.type === 'accepted') {
      execution.isClaimable = true;
      if (execution.claim) return set.wire.accept(execution);
    }
    if (isTerminalEvent(event)) {
      execution.terminalSeq = event.seq;
      execution.isRefusal = !execution.isClaimable;
      // Cancelled or timed out before it was confirmed: what becomes of it is for the control plane to say.
      if (!execution.isRefusal) outbox?.put(execution.executionId, execution.leaseToken, () => unacknowledgedOf(execution));
    }
    set.wire.events(execution);
  }

  const unacknowledgedOf = ({ subscription, acknowledgedSeq }: OfferedExecution): ExecutionEvent[] =>
    subscription?.eventsFrom(acknowledgedSeq + 1) ?? [];

  function start(request: ExecutionRequest): void {
    const execution = add(request.executionId, request.leaseToken);
    const claim = createDeferred<boolean>();
    execution.claim = claim;
    const subscription = runner.run(request, (event) => take(execution, event), {
      confirmed: claim.promise,
      acknowledges: true,
    });
    execution.subscription = subscription;
    const { terminalSeq, isRefusal } = execution;
    if (terminalSeq === undefined) return;
    // It ended before it began: it was refused, or ended a while ago and is remembered, so that it was confirmed then.
    execution.claim = undefined;
    if (!isRefusal) execution.sentSeq = -1;
    set.wire.events(execution);
  }

  function repeat(execution: OfferedExecution, leaseToken: string | undefined): void {
    execution.leaseToken = leaseToken;
    execution.sentSeq = -1;
    if (!execution.claim) return set.wire.events(execution);
    if (execution.isClaimable) set.wire.accept(execution);
  }

  const set: OfferedExecutions = {
    wire,
    offer(value) {
      const parsed = Offer.safeParse(value);
      if (!parsed.success) {
        const refused = refusedOffer(value, parsed.error, runner.manifest.name);
        if (!refused || byId.has(refused.executionId)) return;
        const execution = add(refused.executionId, refused.leaseToken);
        execution.isRefusal = true;
        execution.terminalSeq = 0;
        execution.subscription = fixedEvents([refused.event]);
        return set.wire.events(execution);
      }
      const { data } = parsed;
      const executionId = data.executionId ?? data.jobId;
      const known = byId.get(executionId);
      if (known) return repeat(known, data.leaseToken);
      start({ ...data, executionId, attempt: data.attempt ?? 1 });
    },
    confirm(executionId, verdict) {
      const execution = byId.get(executionId);
      if (!execution) return;
      if (verdict !== undefined) return drop(execution);
      const { claim } = execution;
      if (!claim) return;
      execution.claim = undefined;
      // The claim stood for the first event.
      execution.sentSeq = Math.max(execution.sentSeq, 0);
      claim.resolve(true);
      if (execution.terminalSeq !== undefined) set.wire.events(execution);
    },
    acknowledge(executionId, seq, verdict) {
      const execution = byId.get(executionId);
      if (!execution) return;
      if (verdict !== undefined) return drop(execution);
      if (seq > execution.acknowledgedSeq) {
        execution.acknowledgedSeq = seq;
        execution.subscription?.acknowledge(seq);
      }
      if (execution.terminalSeq !== undefined && seq >= execution.terminalSeq) remove(execution);
    },
    held: () => [...byId.values()].flatMap(({ executionId, claim, isRefusal }) => (claim || isRefusal ? [] : [executionId])),
    running: () => [...byId.values()].flatMap(({ executionId, terminalSeq }) => (terminalSeq === undefined ? [executionId] : [])),
    unacknowledged: () => [...byId.values()].filter(({ terminalSeq }) => terminalSeq !== undefined).length,
    onLinkLost() {
      for (const execution of [...byId.values()]) if (execution.claim || execution.isRefusal) drop(execution);
    },
    onLinkUp() {
      for (const execution of byId.values()) {
        execution.sentSeq = Math.max(execution.acknowledgedSeq, 0);
        if (!execution.claim) set.wire.events(execution);
      }
    },
    whenEmpty: () => (byId.size === 0 ? Promise.resolve() : (empty ??= createDeferred<void>()).promise),
  };
  for (const { executionId, leaseToken, events } of outbox?.left() ?? []) {
    const last = events.at(-1);
    if (!last) continue;
    const execution = add(executionId, leaseToken);
    execution.isClaimable = true;
    execution.terminalSeq = last.seq;
    execution.subscription = fixedEvents(events);
  }
  return set;
}
