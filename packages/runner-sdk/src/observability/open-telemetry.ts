import {
  context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
  type TracerProvider,
} from '@opentelemetry/api';
import type { TerminalEvent } from '@controlplane/contracts';
import type { ExecutionSpan, TracedExecution, Tracing } from './tracing.js';

/** How spans are made. */
export interface OpenTelemetryOptions {
  /** Default: the one that the program has registered with `@opentelemetry/api`; without any, nothing is recorded. */
  readonly tracerProvider?: TracerProvider | undefined;
}

const TRACER = '@controlplane/runner-sdk';
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;

/** Read here and not by the registered propagator: the contract says which format it is, and many programs register none. */
function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined) return ROOT_CONTEXT;
  const traceFlags = Number.parseInt(flags ?? '00', 16);
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags, isRemote: true });
}

function attributesOf(execution: TracedExecution): Attributes {
  return {
    'controlplane.capability.id': execution.capabilityId,
    'controlplane.capability.version': execution.capabilityVersion,
    'controlplane.job.id': execution.jobId,
    'controlplane.execution.id': execution.executionId,
    'controlplane.attempt': execution.attempt,
  };
}

function endSpan(span: Span, event: TerminalEvent | undefined): void {
  span.setAttribute('controlplane.outcome', event?.type ?? 'superseded');
  if (event?.type === 'failed') {
    span.setAttribute('error.type', event.error.code);
    span.setStatus({ code: SpanStatusCode.ERROR, message: event.error.message });
  }
  if (event?.type === 'cancelled') span.setAttribute('controlplane.cancel.reason', event.reason);
  span.end();
}

/**
 * Makes one OpenTelemetry span an execution: `createRunner({ …, tracing: openTelemetry() })`. Its parent is the
 * `traceparent` that the job was submitted with; it is the active span inside the handler, so that what the handler
 * calls becomes its child. Attributes: `controlplane.capability.id`, `.capability.version`, `.job.id`,
 * `.execution.id`, `.attempt`, `.outcome` (`succeeded`, `failed`, `cancelled`, `superseded`), `.cancel.reason`, and
 * `error.type` with the code of a failure. Needs `@opentelemetry/api` 1.9 or a later 1.x.
 * @param options - the tracer provider, where it is not the registered one
 */
export function openTelemetry({ tracerProvider }: OpenTelemetryOptions = {}): Tracing {
  return {
    startSpan(execution): ExecutionSpan {
      const tracer = (tracerProvider ?? trace.getTracerProvider()).getTracer(TRACER);
      const parent = parentOf(execution.traceparent);
      const options = { kind: SpanKind.CONSUMER, attributes: attributesOf(execution) };
      const span = tracer.startSpan(`execute ${execution.capabilityId}`, options, parent);
      const active = trace.setSpan(parent, span);
      return {
        run: (call) => context.with(active, call),
        end: (event) => endSpan(span, event),
      };
    },
  };
}
