import type { CancelReason, JobFile, LogLevel, RunnerExecutionRequest } from '@controlplane/contracts';
import type { NotifyOptions } from './capability-context.js';

/** By which a thread or process knows that it is there to run one capability: the id of that follows. */
export const ISOLATED_MARK = '--controlplane-isolated';

/** Where a process finds the pipe whose other end the runner holds; 0 to 3 are its standard streams and its channel. */
export const RUNNER_FD = 4;

/** A thrown value in plain words, so that it can cross over. */
export interface ThrownWords {
  readonly name: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly code?: string | undefined;
  /** Set for a CapabilityError: its options but the cause. */
  readonly options?: unknown;
  readonly cause?: ThrownWords | undefined;
}

/** What a handler's context tells of its execution. */
export interface ContextWords {
  readonly jobId: string;
  readonly executionId: string;
  readonly capabilityId: string;
  readonly attempt: number;
  readonly metadata: RunnerExecutionRequest['metadata'];
  /** As it was kept, not as the capability's schema parses it. */
  readonly lastCheckpoint: unknown;
  readonly secrets: Readonly<Record<string, string>>;
  /** Those that the job brings. */
  readonly files: readonly JobFile[];
  /** Milliseconds since 1970. */
  readonly deadline: number;
}

/** What a handler asks of the runner and waits for. */
export type Question = 'checkpoint' | 'extend' | 'willWrite' | 'artifact' | 'saveFile';

/** From the runner to the thread or process; one execution at a time. */
export type ToIsolated =
  /** The input is as it was sent: it is parsed where the handler runs. */
  | { readonly type: 'start'; readonly input: unknown; readonly context: ContextWords }
  | { readonly type: 'abort'; readonly kind: CancelReason; readonly message: string }
  | { readonly type: 'shutdown'; readonly message: string }
  /** Answers `ask`. */
  | { readonly type: 'answer'; readonly id: number; readonly value?: unknown; readonly thrown?: ThrownWords }
  /** So many lines were read since the last time. */
  | { readonly type: 'read'; readonly count: number };

/** From the thread or process to the runner. */
export type FromIsolated =
  /** The capability is defined; executions may come. */
  | { readonly type: 'ready' }
  | { readonly type: 'log'; readonly level: LogLevel; readonly message: string; readonly fields?: unknown }
  | { readonly type: 'output'; readonly stream: 'stdout' | 'stderr'; readonly chunk: string | Uint8Array }
  | { readonly type: 'progress'; readonly fraction: number; readonly message?: string | undefined }
  | { readonly type: 'notify'; readonly message: string; readonly options: NotifyOptions }
  | { readonly type: 'redact'; readonly value: string }
  | {
      readonly type: 'ask';
      readonly id: number;
      readonly what: Question;
      readonly value?: unknown;
    }
  /** Answers `abort`: the handler was told, and the thread is not blocked. */
  | { readonly type: 'aborting' }
  | { readonly type: 'returned'; readonly value: unknown }
  | { readonly type: 'threw'; readonly thrown: ThrownWords };
