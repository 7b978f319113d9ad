import type {
  CancelReason,
  ErrorEnvelope,
  ExecutionEvent,
  LogLevel,
  ProgressEvent,
  RunnerExecutionRequest,
} from '@controlplane/contracts';
import { envelopeOf, isTerminalEvent } from '@controlplane/contracts';
import type { Clock } from '../model/clock.js';

/** How an execution ended. */
export type Outcome =
  | { readonly type: 'succeeded'; readonly data: unknown }
  | {
      readonly type: 'failed';
      readonly error: ErrorEnvelope;
      /** Its runner says, in words that no program of its own can choose, that it has not begun it. */
      readonly notBegun?: true;
    }
  | { readonly type: 'cancelled'; readonly reason: CancelReason; readonly message?: string };

/** An execution on a runner of another kind: what is told of it becomes events of the contract. */
export interface ForeignExecution {
  readonly id: string;
  readonly request: RunnerExecutionRequest;
  /** Why it was told to stop; undefined as long as it was not. */
  readonly cancelled: CancelReason | undefined;
  readonly ended: boolean;
  /** What a program printed, as it came. */
  output(stream: 'stdout' | 'stderr', message: string): void;
  note(level: LogLevel, message: string): void;
  /** Notes that came together: the first of them one by one, all others as one. */
  notes(level: LogLevel, messages: readonly string[]): void;
  /** @param fraction - 0 to 1; what is beyond is cut */
  progress(fraction: number, message?: string): void;
  /** Its end; whatever is told after that is too late. */
  end(outcome: Outcome): void;
}

/** The same, as whoever carries its events sees it. */
export interface CarriedExecution extends ForeignExecution {
  /** Events that JobForge has not acknowledged. */
  unacknowledged(): readonly ExecutionEvent[];
  /** Bytes of what was told and not acknowledged, about. */
  owedBytes(): number;
  /** Every event up to this one need not be kept. True where nothing more is to come. */
  acknowledge(seq: number): boolean;
  cancel(reason: CancelReason): void;
}

/** Bytes of an event beside its message. */
const EVENT_BYTES = 200;

function sizeOf(event: ExecutionEvent): number {
  return EVENT_BYTES + ('message' in event ? Buffer.byteLength(event.message ?? '') : 0);
}

type Distributive<Event> = Event extends ExecutionEvent ? Omit<Event, 'executionId' | 'seq' | 'at'> : never;

export interface ForeignExecutionParts {
  readonly id: string;
  readonly request: RunnerExecutionRequest;
  readonly clock: Clock;
  /** Hears of each event. */
  readonly onEvent: (event: ExecutionEvent) => void;
  /** Hears how much more, or less, is owed. */
  readonly onOwed?: (bytes: number) => void;
  /** Hears that its runner did not begin it, and takes nothing now. */
  readonly onNotNow?: () => void;
}

/**
 * What an execution is told to have come to. The claim was told before the runner was asked: what it does not take is
 * offered again, at no cost to the job.
 * @param hasTold - whether anything was told of it: then it has begun, whatever is said now
 */
function endOf(outcome: Outcome, hasTold: boolean, onNotNow: () => void): Outcome {
  if (outcome.type !== 'failed') return outcome;
  const { type, error, notBegun = false } = outcome;
  if (!notBegun || hasTold) return { type, error };
  onNotNow();
  const message = `The runner did not begin it: ${error.message}`;
  return { type, error: envelopeOf('RUNNER_SHUTDOWN', { service: 'jobforge', message }) };
}

/** A runner may say thousands of things in one message, each of which would be an event. */
const MAX_NOTES = 100;

const bounded = (messages: readonly string[]): readonly string[] =>
  messages.length > MAX_NOTES
    ? [...messages.slice(0, MAX_NOTES), messages.slice(MAX_NOTES).join('\n')]
    : messages;

function progressOf(fraction: number, message: string | undefined): Distributive<ProgressEvent> {
  const within = Math.min(1, Math.max(0, fraction));
  return { type: 'progress', fraction: within, ...(message !== undefined && { message }) };
}

export function createForeignExecution({
  id,
  request,
  clock,
  onEvent,
  onOwed = () => undefined,
  onNotNow = () => undefined,
}: ForeignExecutionParts): CarriedExecution {
  const startedAt = clock.now();
  const events: ExecutionEvent[] = [];
  // 0 is its acceptance, which the claim has told.
  let seq = 0;
  let owed = 0;
  let ended = false;
  let cancelled: CancelReason | undefined;
  const owe = (bytes: number): void => {
    owed += bytes;
    onOwed(bytes);
  };
  const tell = (said: Distributive<ExecutionEvent>): void => {
    if (ended) return;
    seq += 1;
    const now = clock.now();
    const event = { ...said, executionId: id, seq, at: new Date(now).toISOString() };
    ended = isTerminalEvent(event);
    events.push(event);
    owe(sizeOf(event));
    onEvent(event);
  };
  const note = (level: LogLevel, message: string): void => tell({ type: 'log', level, message });
  return {
    ...{ id, request },
    get cancelled() {
      return cancelled;
    },
    get ended() {
      return ended;
    },
    output(stream, message) {
      if (message === '') return;
      tell({ type: 'log', level: stream === 'stdout' ? 'info' : 'warn', message, stream });
    },
    note,
    notes(level, messages) {
      for (const message of bounded(messages)) note(level, message);
    },
    progress: (fraction, message) => tell(progressOf(fraction, message)),
    end(outcome) {
      const said = endOf(outcome, seq > 0, onNotNow);
      tell({ ...said, executionTimeMs: Math.max(0, clock.now() - startedAt) });
    },
    unacknowledged: () => events,
    owedBytes: () => owed,
    acknowledge(upTo) {
      // They are in order and none is missing: what goes is the first of them.
      const first = events[0]?.seq ?? 0;
      if (upTo >= first) for (const gone of events.splice(0, upTo - first + 1)) owe(-sizeOf(gone));
      return ended && events.length === 0;
    },
    cancel: (reason) => void (cancelled ??= reason),
  };
}
