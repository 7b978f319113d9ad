import type { CancelReason } from '@controlplane/contracts';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import type { Clock, TimerHandle } from '../util/clock.js';
import { extrasOf, type RunningExecution } from './running-executions.js';

/** Milliseconds between telling a handler to stop and giving up on it, by who told it. */
export interface Graces {
  readonly cancelMs: number;
  /** Shorter than the ten seconds after which the control plane decides by itself. */
  readonly deadlineMs: number;
}

/** A handler that goes on for this long after it was told to stop is spoken of. */
const UNCOOPERATIVE_MS = 1_000;

/** Joins deadline, cancel and drain in the one signal of an execution. */
export interface Deadlines {
  /** Starts the time limit: for an execution that waits for something. Again is no error. */
  arm(execution: RunningExecution): void;
  /** Tells the handler to stop; after the grace it is given up. The first reason stays. */
  stop(execution: RunningExecution, reason: CancelReason, graceMs?: number): void;
  /** Starts the time limit anew after `limitMs` has grown. */
  extend(execution: RunningExecution): void;
  /** Forgets every timer. */
  disarm(execution: RunningExecution): void;
  /** The handler's signal, made when first asked for. */
  readonly signalOf: (execution: RunningExecution) => AbortSignal;
}

interface DeadlineOptions {
  readonly clock: Clock;
  readonly graces: Graces;
  /** Called when a handler goes on for a second after it was told to stop. */
  readonly onUncooperative: (execution: RunningExecution) => void;
  /** Called when a handler did not stop within its grace. */
  readonly onAbandon: (execution: RunningExecution) => void;
}

function clear(clock: Clock, timer: TimerHandle | undefined): undefined {
  if (timer !== undefined) clock.clearTimeout(timer);
}

/** Nothing is cancelled and set again when a handler speaks: the timer looks how long ago that was. */
function watchIdle(
  clock: Clock,
  execution: RunningExecution,
  limit: { readonly limitMs: number; readonly stop: () => void },
): void {
  const extras = extrasOf(execution);
  const leftMs = limit.limitMs - (clock.elapsed() - extras.lastActivityMs);
  if (leftMs > 0) {
    extras.idleTimer = clock.setTimeout(() => watchIdle(clock, execution, limit), leftMs);
    return;
  }
  extras.isIdle = true;
  limit.stop();
}

/** Waits for a handler that was told to stop. */
function waitForEnd(options: DeadlineOptions, execution: RunningExecution, waitMs: number): void {
  const { clock, onUncooperative, onAbandon } = options;
  const warnsFirst = waitMs > UNCOOPERATIVE_MS && !execution.isUncooperative;
  execution.graceTimer = clock.setTimeout(
    () => {
      if (!execution.isUncooperative) onUncooperative(execution);
      execution.isUncooperative = true;
      if (warnsFirst) waitForEnd(options, execution, waitMs - UNCOOPERATIVE_MS);
      else onAbandon(execution);
    },
    warnsFirst ? UNCOOPERATIVE_MS : waitMs,
  );
}

/** Makes the deadlines of an executor. */
export function createDeadlines(options: DeadlineOptions): Deadlines {
  const { clock, graces } = options;
  let fresh: RunningExecution[] = [];

  const startTimer = (execution: RunningExecution): void => {
    const leftMs = execution.limitMs - (clock.elapsed() - execution.startedMs);
    execution.deadlineTimer = clock.setTimeout(() => stop(execution, 'deadline'), Math.max(0, leftMs));
  };

  // Most executions that wait end within the turn of the event loop that they began in: they never cost a timer.
  const startTimers = (): void => {
    const started = fresh;
    fresh = [];
    for (const execution of started) {
      const { channel, cancelled, deadlineTimer } = execution;
      if (channel.terminal || cancelled || deadlineTimer !== undefined) continue;
      startTimer(execution);
      const { idleTimeoutMs } = execution.capability;
      if (idleTimeoutMs !== undefined)
        watchIdle(clock, execution, { limitMs: idleTimeoutMs, stop: () => stop(execution, 'deadline') });
    }
  };

  const disarm = (execution: RunningExecution): void => {
    execution.deadlineTimer = clear(clock, execution.deadlineTimer);
    execution.graceTimer = clear(clock, execution.graceTimer);
    if (execution.extras) execution.extras.idleTimer = clear(clock, execution.extras.idleTimer);
  };

  const stop: Deadlines['stop'] = (execution, reason, graceMs) => {
    const isFirst = execution.cancelled === undefined;
    if (!isFirst && graceMs === undefined) return;
    disarm(execution);
    const { extras, capability } = execution;
    const why = extras?.isIdle ? `nothing was heard of it for ${capability.idleTimeoutMs} ms` : undefined;
    execution.cancelled ??= new ExecutionCancelled(reason, why);
    const waitMs = graceMs ?? (reason === 'deadline' ? graces.deadlineMs : graces.cancelMs);
    waitForEnd(options, execution, waitMs);
    if (!isFirst) return;
    extras?.onStop?.(execution.cancelled);
    // Last: a listener may end the execution at once.
    execution.controller?.abort(execution.cancelled);
  };

  return {
    stop,
    disarm,
    extend(execution) {
      if (execution.deadlineTimer === undefined) return;
      clear(clock, execution.deadlineTimer);
      startTimer(execution);
    },
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
