import type { TerminalEvent } from '@controlplane/contracts';
import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { RunningExecution } from '../execution/running-executions.js';
import { sayThrown } from '../util/safe-json.js';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';

/** One measurement of a runner. New kinds may come with a minor version: ignore what you do not know. */
export type RunnerMetric =
  | {
      readonly kind: 'execution-ended';
      readonly capabilityId: string;
      readonly outcome: TerminalEvent['type'];
      /** Code of the failure, such as `EXECUTION_TIMEOUT`; or the reason of the cancellation, such as `user`. */
      readonly code: string | undefined;
      /** Milliseconds from the slot to the end. */
      readonly durationMs: number;
      /** Milliseconds of them before the handler was called: checking the input, waiting for the control plane's word. */
      readonly queuedMs: number;
      /** Log events that were cut for size. */
      readonly droppedEvents: number;
      /** 1 for the first attempt. */
      readonly attempt: number;
    }
  /** Not admitted, such as `RUNNER_BUSY`. */
  | { readonly kind: 'execution-refused'; readonly capabilityId: string; readonly code: string }
  /** Known to its control plane; again, after it was connected before. */
  | { readonly kind: 'connected'; readonly host: string; readonly again: boolean }
  | { readonly kind: 'disconnected'; readonly host: string }
  /** A heartbeat was not answered: the `missed`th in a row. */
  | { readonly kind: 'heartbeat-missed'; readonly host: string; readonly missed: number }
  /** The event loop was blocked, and the watchdog beat so often in its stead. */
  | { readonly kind: 'stalled'; readonly stalledMs: number; readonly beats: number };

/** Takes measurements as they are made. It is called at the end of every execution: it should be quick. */
export type OnMetric = (metric: RunnerMetric) => void;

/**
 * Keeps what the program's own function throws away from who measures. Said once.
 * @returns undefined where there is no function
 */
export function guardOnMetric(onMetric: OnMetric | undefined, logger: Logger): OnMetric | undefined {
  if (!onMetric) return undefined;
  let isSaid = false;
  const onFault = (error: unknown): void => {
    if (isSaid) return;
    isSaid = true;
    logger.error({ err: error }, `option "onMetric" throws, measurements are lost: ${sayThrown(error)}`);
  };
  return (metric) => {
    try {
      // An async function is a mistake that the types allow: its rejection must not end the process.
      const returned: unknown = onMetric(metric);
      if (returned instanceof Promise) returned.catch(onFault);
    } catch (error) {
      onFault(error);
    }
  };
}

function codeOf(event: TerminalEvent): string | undefined {
  if (event.type === 'failed') return event.error.code;
  return event.type === 'cancelled' ? event.reason : undefined;
}

/** What {@link createMetricsObserver} needs. */
export interface MetricsOptions {
  readonly onMetric: OnMetric;
  readonly clock: Clock;
}

/** Measures every execution. */
export function createMetricsObserver({ onMetric, clock }: MetricsOptions): ExecutionObserver {
  const calledMs = new WeakMap<RunningExecution, number>();
  return {
    started: () => undefined,
    around(execution, call) {
      calledMs.set(execution, clock.elapsed());
      return call();
    },
    ended(execution, event) {
      if (!event) return;
      const { capability, request, startedMs } = execution;
      const endedMs = clock.elapsed();
      onMetric({
        kind: 'execution-ended',
        capabilityId: capability.id,
        outcome: event.type,
        code: codeOf(event),
        durationMs: endedMs - startedMs,
        queuedMs: (calledMs.get(execution) ?? endedMs) - startedMs,
        droppedEvents: event.droppedEvents ?? 0,
        attempt: request.attempt,
      });
    },
    refused(request, event) {
      const code = codeOf(event) ?? event.type;
      onMetric({ kind: 'execution-refused', capabilityId: request.capabilityId, code });
    },
  };
}
