import type { Artifact, RunnerExecutionRequest } from '@controlplane/contracts';
import type { ArtifactContent, ArtifactOptions } from './artifact-content.js';
import type { ContextFiles } from './context-files.js';

/** Writes to the log of the job. Fields must be JSON; values under secret-looking keys are redacted. */
export type ContextLogMethod = (message: string, fields?: Readonly<Record<string, unknown>>) => void;

/** The log of one execution: its lines reach whoever follows the job, in order. */
export interface ContextLog {
  readonly debug: ContextLogMethod;
  readonly info: ContextLogMethod;
  readonly warn: ContextLogMethod;
  readonly error: ContextLogMethod;
}

/** How a notification is told. */
export interface NotifyOptions {
  /** Default: `info`. */
  readonly level?: 'debug' | 'info' | 'warn' | 'error' | undefined;
  /** Whom it is for, in words of your own; the first 128 characters count. Default: whoever looks at the job. */
  readonly audience?: string | undefined;
}

/** What a handler knows of its execution, and what it can say while it runs. */
export interface CapabilityContext<
  LastCheckpoint = unknown,
  Checkpoint = LastCheckpoint,
  Secret extends string = string,
> {
  /**
   * Aborted when the execution must stop. Its `reason` is an `ExecutionCancelled` whose `kind` is `user`,
   * `deadline`, `shutdown` or `lease-lost`. Pass it on to whatever the handler waits for.
   */
  readonly signal: AbortSignal;
  /**
   * Aborted when the runner begins to shut down: the handler still has the drain time to finish in, or to leave a
   * checkpoint. `signal` follows when that is over.
   */
  readonly shutdownSignal: AbortSignal;
  /** When the execution must have ended; later after `extend`. */
  readonly deadline: Date;
  readonly log: ContextLog;
  /**
   * Says something to people: it stands with the job, however much is logged. The first 50 of an execution, of 2,000
   * characters each; what is beyond that is in the log.
   */
  readonly notify: (message: string, options?: NotifyOptions) => void;
  /**
   * Says how much is done.
   * @param fraction - 0 to 1; what lies outside is moved to the nearer end
   * @param message - what is being done now
   */
  readonly progress: (fraction: number, message?: string) => Promise<void>;
  /**
   * Keeps where the work stands. The last one is handed to the next attempt of the job as `lastCheckpoint`.
   * @param data - anything that is JSON, at most 256 KB; it is copied
   * @throws RunnerError `CHECKPOINT_REFUSED` when it is too large, no JSON, or does not fit the capability's schema
   */
  readonly checkpoint: (data: Checkpoint) => Promise<void>;
  /** The last checkpoint of the attempts before; undefined when there is none, or when it no longer fits the schema. */
  readonly lastCheckpoint: LastCheckpoint | undefined;
  /**
   * Gives the execution more time.
   * @param ms - milliseconds that are added to its time limit
   * @returns the new deadline
   * @throws RunnerError `EXTENSION_REFUSED` when the limit would exceed the capability's `maxTimeoutMs`
   */
  readonly extend: (ms: number) => Promise<Date>;
  /**
   * Announces that the execution is about to write: from then on its job is not repeated when the runner is lost.
   * For capabilities with effects `writes` and `announcesWrites: true`. Await it before the first write.
   * @throws ExecutionCancelled when the execution was told to stop before the control plane knew: write nothing
   */
  readonly willWrite: () => Promise<void>;
  /**
   * Lets others have their turn: heartbeats, cancels, other executions. For a loop that computes for long: awaited in
   * each of its steps, it lets go of the thread every 10 ms and costs little in between.
   * @throws ExecutionCancelled when the execution was told to stop, or RunnerError `EXECUTION_OVER` once it has ended
   */
  readonly yield: () => Promise<void>;
  /**
   * Adds the output of a child process to the log of the job: bytes or text as they come, characters may be split
   * between chunks.
   */
  readonly output: (stream: 'stdout' | 'stderr', chunk: string | Uint8Array) => void;
  /**
   * Leaves a file with the job; on disk at the control plane when this resolves. Await it: what is under way when the
   * handler returns is given up. Of one name the last counts. Secrets are not looked for in it.
   * @param name - 1–128 of `A-Z a-z 0-9 . _ -`, not beginning with a dot
   * @param content - bytes, text, `{ path }` or a stream
   * @returns what the control plane says of the file: its size, its SHA-256
   * @throws RunnerError `ARTIFACT_REFUSED` when it cannot be read or sent, is too large, or where there is no place for it
   */
  readonly artifact: (name: string, content: ArtifactContent, options?: ArtifactOptions) => Promise<Artifact>;
  /** The files that the job brings, such as those of `job submit --file`. */
  readonly files: ContextFiles;
  /** From now on the value is replaced by `[redacted]` in logs, output, progress, checkpoints and errors. */
  readonly redact: (value: string) => void;
  /**
   * Values of the secrets that the capability names, for this execution alone. They are replaced by `[redacted]` in
   * whatever it says, as if given to `redact`.
   */
  readonly secrets: Readonly<Record<Secret, string>>;
  readonly jobId: string;
  /** This attempt. */
  readonly executionId: string;
  readonly capabilityId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** What the sender attached: correlationId, userId, traceparent. */
  readonly metadata: Readonly<RunnerExecutionRequest['metadata']>;
}
