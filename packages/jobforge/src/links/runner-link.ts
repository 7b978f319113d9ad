/**
 * @module
 * links/ holds JobForge's ends of its connections to runners. A link carries executions out and events back; it
 * knows neither jobs nor the store. It imports contracts, model/ and node:http(s), never store, scheduler or api.
 */
import type { CancelReason, ErrorEnvelope, ExecutionEvent } from '@controlplane/contracts';

/** One execution, ready to be sent. */
export interface LinkRequest {
  readonly executionId: string;
  /** JSON of the `RunnerExecutionRequest`, on one line. */
  readonly body: string;
}

/** How an execution's stream ended without a terminal event. */
export type LinkFailure =
  /** Nothing reached the runner: it cannot have begun. */
  | { readonly kind: 'not-delivered'; readonly message: string }
  /** The runner said "not now", by status alone. `retryAfterMs` where it named a time. */
  | {
      readonly kind: 'refused';
      readonly code: 'RUNNER_BUSY' | 'RUNNER_DRAINING' | 'INSTANCE_MISMATCH' | 'SIGNATURE_INVALID';
      readonly retryAfterMs: number | undefined;
    }
  /** The connection was lost: the execution may go on. */
  | {
      readonly kind: 'broken';
      readonly message: string;
      /** Something answered in the runner's place: nothing is sent there until its health endpoint answers. */
      readonly away?: boolean;
    }
  /** The runner answered what the contract does not allow. */
  | { readonly kind: 'protocol'; readonly error: ErrorEnvelope };

/** Told of one execution. After a terminal event or a failure it is told nothing more. */
export interface LinkListener {
  onEvent(event: ExecutionEvent): void;
  onFailure(failure: LinkFailure): void;
}

/**
 * JobForge's end of a runner connection: `Execute` seen from outside. The events of each execution arrive in
 * order and end with a terminal event or one failure.
 */
export interface RunnerLink {
  /** Whether a stream that broke can be taken up again by sending the same execution once more. */
  readonly canReattach: boolean;
  /**
   * Whether the runner claims each offer and begins only once that is confirmed. What was never claimed has not
   * begun, whatever became of the connection.
   */
  readonly confirmsAccepts: boolean;
  /** Whether the runner can be told something now. */
  isConnected(): boolean;
  /** Whether it can carry one more execution now. */
  hasRoom(): boolean;
  /** Takes an execution to be sent with the next `flush`. */
  dispatch(request: LinkRequest, listener: LinkListener): void;
  /** Sends what was dispatched since the last one; true where some of it waits for room or for a connection. */
  flush(): boolean;
  /** Tells the runner to stop an execution; where it has no such endpoint, its connection is closed. */
  cancel(executionId: string, options: { readonly reason: CancelReason; readonly leaseToken: string }): void;
  /** Breaks the connection of an execution: its listener is told as of any other failure. */
  interrupt(executionId: string): void;
  /** Stops listening to an execution; a connection to which nobody listens any more is closed. */
  forget(executionId: string): void;
  /** Asks for the runner's health, or whether it is there at all; undefined when it did not answer readably. */
  probe(): Promise<'healthy' | 'degraded' | 'unhealthy' | 'alive' | undefined>;
  /** Drops every connection; listeners are told nothing. */
  close(): void;
}
