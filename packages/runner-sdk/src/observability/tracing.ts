/**
 * @module
 * What a runner lets others watch: spans and measurements. Stands beside the work, is told of it and changes nothing.
 * Imports the contract, util and the work by type; `open-telemetry.ts` alone imports OpenTelemetry, and no other file
 * imports that one, so that nobody loads what they do not use.
 */
import type { TerminalEvent } from '@controlplane/contracts';
import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { RunningExecution } from '../execution/running-executions.js';
import { sayThrown } from '../util/safe-json.js';
import type { Logger } from '../util/logger.js';

/** An execution as a span tells of it. */
export interface TracedExecution {
  readonly capabilityId: string;
  readonly capabilityVersion: string;
  readonly jobId: string;
  readonly executionId: string;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** W3C trace context of whoever submitted the job, where it named one. */
  readonly traceparent: string | undefined;
}

/** The span of one execution. */
export interface ExecutionSpan {
  /** Calls the handler with the span as the active one, and passes on what it returns or throws. */
  run(call: () => unknown): unknown;
  /**
   * Ends the span.
   * @param event - how the execution ended; undefined when it went to another runner before it began
   */
  end(event: TerminalEvent | undefined): void;
}

/** Makes one span an execution. `openTelemetry()` of `@controlplane/runner-sdk/opentelemetry` is one. */
export interface Tracing {
  /** Called when an execution has its slot, before its input is checked. */
  startSpan(execution: TracedExecution): ExecutionSpan;
}

/** What {@link createTracingObserver} needs. */
export interface TracingOptions {
  readonly tracing: Tracing;
  readonly logger: Logger;
}

/** Traces every execution. What the tracing throws is logged once and ends nothing. */
export function createTracingObserver({ tracing, logger }: TracingOptions): ExecutionObserver {
  const spans = new WeakMap<RunningExecution, ExecutionSpan>();
  let isSaid = false;

  function guarded(act: () => void): void {
    try {
      act();
    } catch (error) {
      if (isSaid) return;
      isSaid = true;
      logger.error({ err: error }, `option "tracing" throws, spans are lost: ${sayThrown(error)}`);
    }
  }

  return {
    started(execution) {
      const { capability, request } = execution;
      guarded(() => {
        const span = tracing.startSpan({
          capabilityId: capability.id,
          capabilityVersion: capability.version,
          jobId: request.jobId,
          executionId: request.executionId,
          attempt: request.attempt,
          traceparent: request.metadata.traceparent,
        });
        spans.set(execution, span);
      });
    },
    ended: (execution, event) => guarded(() => spans.get(execution)?.end(event)),
    around(execution, call) {
      const span = spans.get(execution);
      return span ? span.run(call) : call();
    },
  };
}
