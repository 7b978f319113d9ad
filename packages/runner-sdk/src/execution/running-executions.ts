import type { Capability } from '../capability/capability.js';
import type { ExecutionCancelled } from '../errors/execution-cancelled.js';
import type { TimerHandle } from '../util/clock.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import type { ChildOutput } from './child-output.js';
import type { EventChannel } from './event-channel.js';
import type { ExecutionRequest, FileCarrier } from './execute.js';
import type { Secrets } from './secrets.js';

/** An execution that was accepted and must not start before that is confirmed. */
export interface Claim {
  confirmed: Promise<boolean>;
  /** Starts the handler; known once the input is checked. */
  start: (() => void) | undefined;
}

/** What only some executions need; made when the first of it is. */
export interface ExecutionExtras {
  secrets: Secrets | undefined;
  output: ChildOutput | undefined;
  /** Of `ctx.shutdownSignal`. */
  shutdown: AbortController | undefined;
  /** The announcement of `ctx.willWrite()`. */
  writing: Promise<void> | undefined;
  /** Ends the wait for its acknowledgement. */
  onStop: ((reason: ExecutionCancelled) => void) | undefined;
  /** Of `ctx.yield`. */
  yield: (() => Promise<void>) | undefined;
  /** By the clock's `elapsed`; kept where there is an idle limit. */
  lastActivityMs: number;
  idleTimer: TimerHandle | undefined;
  /** It was told to stop because it said nothing for too long. */
  isIdle: boolean;
}

/** The extras of an execution, made on demand. */
export function extrasOf(execution: RunningExecution): ExecutionExtras {
  return (execution.extras ??= {
    secrets: undefined,
    output: undefined,
    shutdown: undefined,
    writing: undefined,
    onStop: undefined,
    yield: undefined,
    lastActivityMs: execution.startedMs,
    idleTimer: undefined,
    isIdle: false,
  });
}

/** One execution that holds a slot. */
export interface RunningExecution {
  readonly request: ExecutionRequest;
  readonly capability: Capability;
  readonly channel: EventChannel;
  /** By the clock's `elapsed`. */
  readonly startedMs: number;
  /** Milliseconds that it may take. */
  limitMs: number;
  /** Of the attempts before, once it is known to fit. */
  lastCheckpoint: unknown;
  /** Whether the control plane acknowledges events. */
  readonly acknowledges: boolean;
  /** Where its files go. */
  readonly files: FileCarrier | undefined;
  /** Whether the handler may start before the acceptance was sent. */
  readonly startsAtOnce: boolean;
  /** Set once the execution has been told to stop. */
  cancelled: ExecutionCancelled | undefined;
  /** Made when the handler first looks at its signal. */
  controller: AbortController | undefined;
  /** Set while it is not certain that the execution is this runner's. */
  claim: Claim | undefined;
  deadlineTimer: TimerHandle | undefined;
  graceTimer: TimerHandle | undefined;
  /** It went on for a second after it was told to stop. */
  isUncooperative: boolean;
  extras: ExecutionExtras | undefined;
  /** Where the watchdog knows it; -1 where it does not. */
  watchSlot: number;
}

/** The executions that run now, by id. */
export interface RunningExecutions {
  get(executionId: string): RunningExecution | undefined;
  add(execution: RunningExecution): void;
  remove(execution: RunningExecution): void;
  all(): RunningExecution[];
  readonly size: number;
  /** Resolves when none runs. */
  idle(): Promise<void>;
}

/** Makes an empty set of running executions. */
export function createRunningExecutions(): RunningExecutions {
  const byId = new Map<string, RunningExecution>();
  let idle: Deferred<void> | undefined;
  return {
    get: (executionId) => byId.get(executionId),
    add: (execution) => void byId.set(execution.request.executionId, execution),
    remove(execution) {
      byId.delete(execution.request.executionId);
      if (byId.size > 0) return;
      idle?.resolve();
      idle = undefined;
    },
    all: () => [...byId.values()],
    get size() {
      return byId.size;
    },
    idle: () => (byId.size === 0 ? Promise.resolve() : (idle ??= createDeferred<void>()).promise),
  };
}
