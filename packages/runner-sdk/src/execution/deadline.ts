import type { CancelReason } from '@controlplane/contracts';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import type { Clock } from '../util/clock.js';
import type { RunningExecution } from './running-executions.js';

/** Milliseconds between telling a handler to stop and giving up on it, by who told it. */
export interface Graces {
  readonly cancelMs: number;
  /** Shorter than the ten seconds after which the control plane decides by itself. */
  readonly deadlineMs: number;
}

/** Joins deadline, cancel and drain in the one signal of an execution. */
export interface Deadlines {
  /** Starts the time limit. */
  arm(execution: RunningExecution): void;
  /** Tells the handler to stop; after the grace it is given up. The first reason stays. */
  stop(execution: RunningExecution, reason: CancelReason, graceMs?: number): void;
  /** Forgets both timers. */
  disarm(execution: RunningExecution): void;
  /** The handler's signal, made when first asked for. */
  readonly signalOf: (execution: RunningExecution) => AbortSignal;
}

/**
 * Makes the deadlines of an executor.
 * @param options - `onAbandon` is called when a handler did not stop within its grace
 */
export function createDeadlines(options: {
  readonly clock: Clock;
  readonly graces: Graces;
  readonly onAbandon: (execution: RunningExecution) => void;
}): Deadlines {
  const { clock, graces, onAbandon } = options;
  let fresh: RunningExecution[] = [];

  // Most executions end within the turn of the event loop that they began in: they never cost a timer.
  const startTimers = (): void => {
    const started = fresh;
    fresh = [];
    for (const execution of started) {
      if (execution.channel.terminal || execution.cancelled) continue;
      const limitMs = execution.request.timeoutMs ?? execution.capability.timeoutMs;
      const leftMs = limitMs - (clock.elapsed() - execution.startedMs);
      execution.deadlineTimer = clock.setTimeout(() => stop(execution, 'deadline'), Math.max(0, leftMs));
    }
  };

  const disarm = (execution: RunningExecution): void => {
    if (execution.deadlineTimer !== undefined) clock.clearTimeout(execution.deadlineTimer);
    if (execution.graceTimer !== undefined) clock.clearTimeout(execution.graceTimer);
    execution.deadlineTimer = undefined;
    execution.graceTimer = undefined;
  };

  const stop: Deadlines['stop'] = (execution, reason, graceMs) => {
    const isFirst = execution.cancelled === undefined;
    if (!isFirst && graceMs === undefined) return;
    disarm(execution);
    execution.cancelled ??= new ExecutionCancelled(reason);
    const waitMs = graceMs ?? (reason === 'deadline' ? graces.deadlineMs : graces.cancelMs);
    execution.graceTimer = clock.setTimeout(() => onAbandon(execution), waitMs);
    // Last: a listener may end the execution at once.
    if (isFirst) execution.controller?.abort(execution.cancelled);
  };

  return {
    stop,
    disarm,
    arm(execution) {
      if (fresh.length === 0) setImmediate(startTimers);
      fresh.push(execution);
    },
    signalOf(execution) {
      if (!execution.controller) {
        execution.controller = new AbortController();
        if (execution.cancelled) execution.controller.abort(execution.cancelled);
      }
      return execution.controller.signal;
    },
  };
}
