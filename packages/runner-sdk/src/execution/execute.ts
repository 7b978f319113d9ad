/**
 * @module
 * How an execution runs: admission, one signal for deadline, cancel and drain, the handler, its events, its
 * outcome. Knows capabilities and nothing of wires. Imports capability, errors and util; never transport,
 * hosts or lifecycle.
 */
import type {
  Artifact,
  ExecutionEvent,
  FileReference,
  RunnerExecutionRequest,
} from '@controlplane/contracts';

/** One attempt of a job, as the work side is given it. */
export type ExecutionRequest = Omit<RunnerExecutionRequest, 'timeoutMs' | 'executionId' | 'attempt'> & {
  /** The same id given twice is answered twice and run once. */
  readonly executionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Default: what the capability says. */
  readonly timeoutMs?: number | undefined;
};

/**
 * Runs one execution: the seam between the work and the wire. Whoever receives work calls it and writes the
 * events in the words of its own protocol.
 *
 * - It never throws and never rejects: what goes wrong is an event.
 * - `accepted` comes first, then logs and progress, then exactly one terminal event (`succeeded`, `failed`,
 *   `cancelled`), then nothing. A refusal is a single `failed` in place of `accepted`: `RUNNER_BUSY`,
 *   `RUNNER_DRAINING`, `CAPABILITY_NOT_FOUND`, `INSTANCE_MISMATCH`, `VALIDATION_ERROR`.
 * - The handler starts after `accepted` was given to the reader, in a later microtask: a reader that sends it at
 *   once has sent it before the handler runs.
 * - An executionId that runs, or ended a while ago, is not run again: its events come from the first on.
 * - Aborting `signal` cancels the execution; the terminal event still comes. Leaving the loop early does not
 *   cancel: the execution goes on, and the same executionId finds it again. Left before `accepted`, it is not run.
 * - A reader that falls behind misses progress events that later ones have replaced, and nothing else.
 */
export type Execute = (
  request: ExecutionRequest,
  options?: { readonly signal?: AbortSignal | undefined },
) => AsyncIterable<ExecutionEvent>;

/**
 * Takes the events of an execution as they happen. For `succeeded`, `dataJson` is the event's `data` as JSON,
 * so that a writer need not make it again. Must not throw. A sink that cannot pass `accepted` on detaches within the
 * call: the handler then does not start, and the execution is forgotten.
 */
export type EventSink = (event: ExecutionEvent, dataJson?: string) => void;

/** A file that an execution leaves. */
export interface LeftFile {
  readonly name: string;
  readonly contentType: string;
  /** Reads it from its beginning. */
  readonly read: () => AsyncIterable<Uint8Array>;
  /** Its size, where that is known before it is read. */
  readonly bytes?: number | undefined;
  /** Whether it can be read more than once. */
  readonly isRepeatable: boolean;
}

/** Where results go that are too large for a message; sizes in bytes of JSON. */
export interface ResultRoom {
  /** What travels in an event. */
  readonly maxInlineBytes: number;
  readonly maxBytes: number;
  /** Resolves once it is kept. Rejects with a RunnerError `ARTIFACT_REFUSED`, or with the signal's reason. */
  readonly put: (request: ExecutionRequest, json: string, signal: AbortSignal) => Promise<FileReference>;
}

/** Carries the files of executions to the side that brought these, and those of their jobs from there. */
export interface FileCarrier {
  /**
   * Resolves once the file is kept. Rejects with a RunnerError `ARTIFACT_REFUSED`, or with the signal's reason.
   * @param signal - the execution's own
   */
  put(request: ExecutionRequest, file: LeftFile, signal: AbortSignal): Promise<Artifact>;
  /**
   * Reads a file that the execution request names; whether it is the right one is for the reader to see. Throws a
   * RunnerError `FILE_MISSING`, or the signal's reason. Default: there are none.
   * @param signal - the execution's own
   */
  readonly open?:
    | ((request: ExecutionRequest, file: FileReference, signal: AbortSignal) => AsyncIterable<Uint8Array>)
    | undefined;
  /** Undefined, also while that is not known, where results travel in events alone. */
  readonly results?: (() => ResultRoom | undefined) | undefined;
}

/** How the side that brought an execution takes part in it. */
export interface RunOptions {
  /**
   * For a delivery that claims what it accepts: after `accepted` the handler waits for this. Only `true` starts
   * it; `false` or a rejection frees the slot, and nothing more is said of the execution: it is not this runner's.
   * The promise must settle. Given again with the same executionId, the later promise counts.
   */
  readonly confirmed?: Promise<boolean> | undefined;
  /** Whether events are acknowledged by {@link Subscription.acknowledge}: `ctx.willWrite()` waits for it. Default: false. */
  readonly acknowledges?: boolean | undefined;
  /** Takes what `ctx.artifact()` leaves, and gives what `ctx.files` reads. Default: there is no place for files. */
  readonly files?: FileCarrier | undefined;
  /** For a reader that sends the end alone: the handler starts at once, not after `accepted` could be sent. Default: false. */
  readonly startsAtOnce?: boolean | undefined;
}

/** A sink's hold on an execution. */
export interface Subscription {
  /** The events from `seq` on that are still kept, in order: for a reader that had to pause. */
  eventsFrom(seq: number): ExecutionEvent[];
  /** The JSON of the result, once it succeeded. */
  dataJson(): string | undefined;
  /** Says that the control plane has every event up to `seq`, and has acted upon what asks for it. */
  acknowledge(seq: number): void;
  /** Sends nothing more to the sink. The execution goes on. */
  detach(): void;
}
