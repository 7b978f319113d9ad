// Adding a name here makes it public API.
export { openTelemetry } from './observability/open-telemetry.js';

export type { OpenTelemetryOptions } from './observability/open-telemetry.js';
export type { ExecutionSpan, TracedExecution, Tracing } from './observability/tracing.js';
