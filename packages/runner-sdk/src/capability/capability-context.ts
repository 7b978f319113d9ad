import type { RunnerExecutionRequest } from '@controlplane/contracts';

/** Writes to the log of the job. Fields must be JSON; values under secret-looking keys are redacted. */
export type ContextLogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** The log of one execution: its lines reach whoever follows the job, in order. */
export interface ContextLog {
  readonly debug: ContextLogMethod;
  readonly info: ContextLogMethod;
  readonly warn: ContextLogMethod;
  readonly error: ContextLogMethod;
}

/** What a handler knows of its execution, and what it can say while it runs. */
export interface CapabilityContext {
  /**
   * Aborted when the execution must stop. Its `reason` is an `ExecutionCancelled` whose `kind` is `user`,
   * `deadline`, `shutdown` or `lease-lost`. Pass it on to whatever the handler waits for.
   */
  readonly signal: AbortSignal;
  readonly log: ContextLog;
  /**
   * Says how much is done.
   * @param fraction - 0 to 1; what lies outside is moved to the nearer end
   * @param message - what is being done now
   */
  readonly progress: (fraction: number, message?: string) => Promise<void>;
  readonly jobId: string;
  /** This attempt. */
  readonly executionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What the sender attached: correlationId, userId, traceparent. */
  readonly metadata: Readonly<RunnerExecutionRequest['metadata']>;
}
