import type { Capability } from '../capability/capability.js';
import type { ExecutionCancelled } from '../errors/execution-cancelled.js';
import type { TimerHandle } from '../util/clock.js';
import { createDeferred, type Deferred } from '../util/deferred.js';
import type { EventChannel } from './event-channel.js';
import type { ExecutionRequest } from './execute.js';

/** An execution that was accepted and must not start before that is confirmed. */
export interface Claim {
  confirmed: Promise<boolean>;
  /** Starts the handler; known once the input is checked. */
  start: (() => void) | undefined;
}

/** One execution that holds a slot. */
export interface RunningExecution {
  readonly request: ExecutionRequest;
  readonly capability: Capability;
  readonly channel: EventChannel;
  /** By the clock's `elapsed`. */
  readonly startedMs: number;
  /** Set once the execution has been told to stop. */
  cancelled: ExecutionCancelled | undefined;
  /** Made when the handler first looks at its signal. */
  controller: AbortController | undefined;
  /** Set while it is not certain that the execution is this runner's. */
  claim: Claim | undefined;
  deadlineTimer: TimerHandle | undefined;
  graceTimer: TimerHandle | undefined;
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
