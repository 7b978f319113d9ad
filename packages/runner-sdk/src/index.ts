// Adding a name here makes it public API.
export { defineCapability } from './capability/define-capability.js';
export {
  controlPlane,
  type ControlPlaneOptions,
  type DeliveryKind,
} from './hosts/control-plane/control-plane.js';
export { createRunner } from './lifecycle/runner.js';
export { ExecutionCancelled, isExecutionCancelled } from './errors/execution-cancelled.js';
export { CapabilityError, isCapabilityError } from './errors/capability-error.js';
export { RunnerError, isRunnerError } from './errors/runner-error.js';

export type {
  Capability,
  CapabilityDefinition,
  CapabilityResult,
  ContextOf,
  JsonSchema,
} from './capability/capability.js';
export type { ArtifactContent, ArtifactOptions } from './capability/artifact-content.js';
export type {
  CapabilityContext,
  ContextLog,
  ContextLogMethod,
  NotifyOptions,
} from './capability/capability-context.js';
export type { ContextFiles } from './capability/context-files.js';
export type { Isolation, IsolationKind } from './capability/isolation.js';
export type { Middleware } from './capability/middleware.js';
export type { CapabilityErrorOptions } from './errors/capability-error.js';
export type { RunnerErrorCode } from './errors/runner-error.js';
export type { Execute, ExecutionRequest } from './execution/execute.js';
export type { CredentialSource } from './hosts/credential-source.js';
export type { Host } from './hosts/host.js';
export type { HealthCheckFunction, HealthCheckResult } from './lifecycle/health.js';
export type { PushDeliveryChoice, RunnerOptions } from './lifecycle/runner-options.js';
export type { Runner } from './lifecycle/runner.js';
export type { RunnerRequestHandler } from './lifecycle/runner-request-handler.js';
export type { OnMetric, RunnerMetric } from './observability/metrics.js';
export type { ExecutionSpan, TracedExecution, Tracing } from './observability/tracing.js';
export type { RunnerState } from './lifecycle/runner-state.js';
export type { StopOptions } from './lifecycle/shutdown.js';
export type { Clock, TimerHandle } from './util/clock.js';
export type { Logger, LoggerLevel, LogMethod } from './util/logger.js';
