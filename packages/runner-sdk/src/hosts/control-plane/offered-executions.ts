import {
  DurationMs,
  isTerminalEvent,
  RunnerExecutionRequest,
  type ExecutionEvent,
} from '@controlplane/contracts';
import type { ExecutionRequest, FileCarrier } from '../../execution/execute.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';
import type { HostedRunner } from '../host.js';
import { fixedEvents, refusedOffer, type EventHold } from './fixed-events.js';
import type { EventOutbox } from './kept-events.js';

/** One execution that was offered to this runner and that the control plane may still want to hear of. */
export interface OfferedExecution {
  readonly executionId: string;
  leaseToken: string | undefined;
  subscription: EventHold | undefined;
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
  /** Where the files of executions go. Default: nowhere. */
  files: FileCarrier | undefined;
  /** The lease of an execution, as it was offered last. */
  leaseTokenOf(executionId: string): string | undefined;
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

interface State {
  readonly runner: HostedRunner;
  readonly outbox: EventOutbox | undefined;
  readonly byId: Map<string, OfferedExecution>;
  wire: OfferWire;
  files: FileCarrier | undefined;
  empty: Deferred<void> | undefined;
}

function add({ byId }: State, executionId: string, leaseToken: string | undefined): OfferedExecution {
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

function remove(state: State, execution: OfferedExecution): void {
  const { byId, outbox } = state;
  execution.subscription?.detach();
  // Whoever still sends finds nothing more to say.
  execution.subscription = undefined;
  byId.delete(execution.executionId);
  if (execution.terminalSeq !== undefined) outbox?.remove(execution.executionId);
  if (byId.size > 0) return;
  state.empty?.resolve();
  state.empty = undefined;
}

/** It is not this runner's: it stops, and nothing more is said of it. */
function drop(state: State, execution: OfferedExecution): void {
  const { claim, executionId, terminalSeq } = execution;
  remove(state, execution);
  if (claim) claim.resolve(false);
  else if (terminalSeq === undefined) state.runner.cancel(executionId, 'lease-lost');
}

const unacknowledgedOf = ({ subscription, acknowledgedSeq }: OfferedExecution): ExecutionEvent[] =>
  subscription?.eventsFrom(acknowledgedSeq + 1) ?? [];

function take({ wire, outbox }: State, execution: OfferedExecution, event: ExecutionEvent): void {
  if (event.type === 'accepted') {
    execution.isClaimable = true;
    if (execution.claim) return wire.accept(execution);
  }
  if (isTerminalEvent(event)) {
    execution.terminalSeq = event.seq;
    execution.isRefusal = !execution.isClaimable;
    if (!execution.isRefusal) {
      outbox?.put(execution.executionId, () => ({
        executionId: execution.executionId,
        leaseToken: execution.leaseToken,
        events: unacknowledgedOf(execution),
      }));
    }
  }
  wire.events(execution);
}

function start(state: State, request: ExecutionRequest): void {
  const execution = add(state, request.executionId, request.leaseToken);
  const claim = createDeferred<boolean>();
  execution.claim = claim;
  execution.subscription = state.runner.run(request, (event) => take(state, execution, event), {
    confirmed: claim.promise,
    acknowledges: true,
    files: state.files,
  });
  const { terminalSeq } = execution;
  if (terminalSeq === undefined) return;
  // It ended before it began: it was refused, or ended a while ago and is remembered, so that it was confirmed then.
  execution.claim = undefined;
  state.wire.events(execution);
}

function repeat({ wire }: State, execution: OfferedExecution, leaseToken: string | undefined): void {
  execution.leaseToken = leaseToken;
  execution.sentSeq = -1;
  if (!execution.claim) return wire.events(execution);
  if (execution.isClaimable) wire.accept(execution);
}

function offer(state: State, value: unknown): void {
  const { byId, runner, wire } = state;
  const parsed = Offer.safeParse(value);
  if (!parsed.success) {
    const refused = refusedOffer(value, parsed.error, runner.manifest.name);
    if (!refused || byId.has(refused.executionId)) return;
    const execution = add(state, refused.executionId, refused.leaseToken);
    execution.isRefusal = true;
    execution.terminalSeq = 0;
    execution.subscription = fixedEvents([refused.event]);
    return wire.events(execution);
  }
  const { data } = parsed;
  const executionId = data.executionId ?? data.jobId;
  const known = byId.get(executionId);
  if (known) return repeat(state, known, data.leaseToken);
  start(state, { ...data, executionId, attempt: data.attempt ?? 1 });
}

function confirm(state: State, executionId: string, verdict: Verdict): void {
  const execution = state.byId.get(executionId);
  if (!execution) return;
  if (verdict !== undefined) return drop(state, execution);
  const { claim } = execution;
  if (!claim) return;
  execution.claim = undefined;
  // The claim stood for the first event.
  execution.sentSeq = Math.max(execution.sentSeq, 0);
  claim.resolve(true);
  if (execution.terminalSeq !== undefined) state.wire.events(execution);
}

function acknowledge(
  state: State,
  executionId: string,
  upTo: { readonly seq: number; readonly verdict: Verdict },
): void {
  const execution = state.byId.get(executionId);
  if (!execution) return;
  const { seq, verdict } = upTo;
  if (verdict !== undefined) return drop(state, execution);
  if (seq > execution.acknowledgedSeq) {
    execution.acknowledgedSeq = seq;
    execution.subscription?.acknowledge(seq);
  }
  if (execution.terminalSeq !== undefined && seq >= execution.terminalSeq) remove(state, execution);
}

function takeOver(state: State): void {
  for (const { executionId, leaseToken, events } of state.outbox?.left() ?? []) {
    const last = events.at(-1);
    if (!last) continue;
    const execution = add(state, executionId, leaseToken);
    execution.isClaimable = true;
    execution.terminalSeq = last.seq;
    execution.subscription = fixedEvents(events);
  }
}

/** Makes the set, empty but for what an earlier process could not hand over. */
export function createOfferedExecutions(
  runner: HostedRunner,
  outbox: EventOutbox | undefined,
  wire: OfferWire,
): OfferedExecutions {
  const byId = new Map<string, OfferedExecution>();
  const state: State = { runner, outbox, byId, wire, files: undefined, empty: undefined };
  takeOver(state);
  const idsOf = (isWanted: (execution: OfferedExecution) => boolean): string[] =>
    [...byId.values()].filter(isWanted).map(({ executionId }) => executionId);
  return {
    get wire() {
      return state.wire;
    },
    set wire(next) {
      state.wire = next;
    },
    get files() {
      return state.files;
    },
    set files(carrier) {
      state.files = carrier;
    },
    leaseTokenOf: (executionId) => byId.get(executionId)?.leaseToken,
    offer: (value) => offer(state, value),
    confirm: (executionId, verdict) => confirm(state, executionId, verdict),
    acknowledge: (executionId, seq, verdict) => acknowledge(state, executionId, { seq, verdict }),
    held: () => idsOf(({ claim, isRefusal }) => claim === undefined && !isRefusal),
    running: () => idsOf(({ terminalSeq }) => terminalSeq === undefined),
    unacknowledged: () => idsOf(({ terminalSeq }) => terminalSeq !== undefined).length,
    onLinkLost() {
      // What was refused and not heard of goes back to the queue by itself.
      for (const execution of [...byId.values()])
        if (execution.claim || execution.isRefusal) drop(state, execution);
    },
    onLinkUp() {
      for (const execution of byId.values()) {
        execution.sentSeq = Math.max(execution.acknowledgedSeq, 0);
        if (!execution.claim) state.wire.events(execution);
      }
    },
    whenEmpty: () => (byId.size === 0 ? Promise.resolve() : (state.empty ??= createDeferred<void>()).promise),
  };
}
