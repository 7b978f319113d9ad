import {
  isTerminalEvent,
  type ExecutionEvent,
  type RunnerExecutionRequest,
  type RunnerFrame,
} from '@controlplane/contracts';
import type {
  EventSink,
  ExecutionRequest,
  FileCarrier,
  RunOptions,
  Subscription,
} from '../../execution/execute.js';
import type { Clock, TimerHandle } from '../../util/clock.js';
import { createDeferred, type Deferred } from '../../util/deferred.js';

/** What an execution needs of the session that holds it. */
export interface HeldExecutionOptions {
  readonly request: RunnerExecutionRequest & { readonly executionId: string };
  readonly run: (request: ExecutionRequest, sink: EventSink, options: RunOptions) => Subscription;
  readonly send: (frame: RunnerFrame) => void;
  /** Where its files go. */
  readonly files: FileCarrier;
  readonly clock: Clock;
  readonly random: () => number;
  /** It is over: acknowledged to the last event, or not this runner's. */
  readonly onDone: () => void;
}

/** An execution from its offer until its end is acknowledged. */
export interface HeldExecution {
  readonly isConfirmed: boolean;
  /** The claim was answered: by true, the handler may start. */
  confirm(isOwn: boolean): void;
  /** Every event up to this one is known to the other side. */
  acknowledge(seq: number): void;
  /** Says again what was not answered: after a repeated offer, and when the link is up again. */
  repeat(): void;
  /** The link is cut: what was not confirmed will never be. */
  linkLost(): void;
  /** Says nothing more; the handler is not told. */
  drop(): void;
}

/** An answer that does not come within this is asked for again; then after twice as long, and so on. */
const REPEAT = { firstMs: 1_000, mostMs: 8_000 } as const;

/** Not an end of the job: this runner lost it. */
function isLeaseLost(event: ExecutionEvent): boolean {
  return event.type === 'cancelled' && event.reason === 'lease-lost';
}

interface Held extends HeldExecutionOptions {
  readonly confirmation: Deferred<boolean>;
  /** Undefined while `run` has not returned: it may tell its first events at once. */
  subscription: Subscription | undefined;
  phase: 'offered' | 'claimed' | 'confirmed' | 'over';
  acknowledgedSeq: number;
  sentSeq: number;
  endSeq: number | undefined;
  repeats: number;
  timer: TimerHandle | undefined;
  isGathering: boolean;
}

function finish(held: Held): void {
  if (held.phase === 'over') return;
  held.phase = 'over';
  if (held.timer !== undefined) held.clock.clearTimeout(held.timer);
  held.confirmation.resolve(false);
  held.subscription?.detach();
  held.onDone();
}

function askAgainLater(held: Held): void {
  const { clock, random } = held;
  if (held.timer !== undefined) clock.clearTimeout(held.timer);
  const waitMs = Math.min(REPEAT.firstMs * 2 ** held.repeats++, REPEAT.mostMs);
  held.timer = clock.setTimeout(() => say(held), Math.round(waitMs * (0.75 + random() / 2)));
}

/** One message at a time: what gathers meanwhile goes in the next. */
function say(held: Held): void {
  const { send, request } = held;
  const { executionId, leaseToken } = request;
  const claim = { executionId, ...(leaseToken === undefined ? {} : { leaseToken }) };
  if (held.phase === 'claimed') {
    send({ type: 'accept', executions: [claim] });
    return askAgainLater(held);
  }
  if (held.phase !== 'confirmed') return;
  const events = held.subscription?.eventsFrom(held.acknowledgedSeq + 1) ?? [];
  const last = events.at(-1);
  if (!last) return;
  if (events.some(isLeaseLost)) return finish(held);
  held.sentSeq = last.seq;
  send({ type: 'events', executions: [{ ...claim, events }] });
  askAgainLater(held);
}

const isAnswered = ({ acknowledgedSeq, sentSeq }: Held): boolean => acknowledgedSeq >= sentSeq;

function onEvent(held: Held, event: ExecutionEvent): void {
  if (isTerminalEvent(event)) held.endSeq = event.seq;
  if (held.phase === 'offered') {
    // A refusal comes in place of the claim and needs no confirmation.
    held.phase = event.type === 'accepted' ? 'claimed' : 'confirmed';
    if (held.phase === 'claimed') return say(held);
  }
  if (held.phase !== 'confirmed' || held.isGathering) return;
  held.isGathering = true;
  void Promise.resolve().then(() => {
    held.isGathering = false;
    if (isAnswered(held)) say(held);
  });
}

function confirm(held: Held, isOwn: boolean): void {
  if (!isOwn) return finish(held);
  if (held.phase !== 'claimed') return;
  held.phase = 'confirmed';
  held.repeats = 0;
  if (held.timer !== undefined) held.clock.clearTimeout(held.timer);
  held.confirmation.resolve(true);
  say(held);
}

function acknowledge(held: Held, seq: number): void {
  if (seq <= held.acknowledgedSeq) return;
  held.acknowledgedSeq = seq;
  held.repeats = 0;
  held.subscription?.acknowledge(seq);
  if (held.endSeq !== undefined && seq >= held.endSeq) return finish(held);
  if (!isAnswered(held)) return;
  if (held.timer !== undefined) held.clock.clearTimeout(held.timer);
  say(held);
}

/** Runs what was offered and tells of it until everything is acknowledged. */
export function holdExecution(options: HeldExecutionOptions): HeldExecution {
  const held: Held = {
    ...options,
    confirmation: createDeferred<boolean>(),
    subscription: undefined,
    phase: 'offered',
    acknowledgedSeq: -1,
    sentSeq: -1,
    endSeq: undefined,
    repeats: 0,
    timer: undefined,
    isGathering: false,
  };
  const { request, run, files } = options;
  const runOptions = { confirmed: held.confirmation.promise, acknowledges: true, files };
  held.subscription = run(
    { ...request, attempt: request.attempt ?? 1 },
    (event) => onEvent(held, event),
    runOptions,
  );
  return {
    get isConfirmed() {
      return held.phase === 'confirmed';
    },
    confirm: (isOwn) => confirm(held, isOwn),
    acknowledge: (seq) => acknowledge(held, seq),
    repeat() {
      held.repeats = 0;
      say(held);
    },
    linkLost() {
      if (held.phase !== 'confirmed') finish(held);
    },
    drop: () => finish(held),
  };
}
