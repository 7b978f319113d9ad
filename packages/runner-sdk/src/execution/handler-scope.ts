import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import type { Deadlines } from './deadline.js';
import type { ExecutionObserver } from './execution-observer.js';
import type { LogLimits } from './log-bounds.js';
import type { Outcome } from './outcome.js';
import type { RunningExecution } from './running-executions.js';

/** Bounds of what a handler may say; sizes in bytes, times in milliseconds. */
export interface HandlerLimits extends LogLimits {
  /** JSON of one result. */
  readonly maxResultBytes: number;
  /** JSON of one checkpoint. */
  readonly maxCheckpointBytes: number;
  /** Child output is sent in pieces of this size, or after this time. */
  readonly maxOutputChunkBytes: number;
  readonly maxOutputChunkMs: number;
}

/** What calling a handler needs around it. */
export interface HandlerScope {
  readonly service: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: HandlerLimits;
  readonly timestamp: () => string;
  readonly deadlines: Pick<Deadlines, 'arm' | 'signalOf' | 'extend'>;
  /** Called once for each execution, unless it was given up before. */
  readonly end: (execution: RunningExecution, outcome: Outcome, dataJson?: string) => void;
  /** Ends an execution that turned out not to be this runner's. */
  readonly forget: (execution: RunningExecution) => void;
  readonly observer: ExecutionObserver | undefined;
  /** The runner has begun to shut down, and handlers are told so. */
  readonly shuttingDown: boolean;
}
