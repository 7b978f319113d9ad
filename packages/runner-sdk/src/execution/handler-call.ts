import type { ErrorCode, ErrorDetail } from '@controlplane/contracts';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { sayThrown } from '../util/safe-json.js';
import type { ExecutionCancelled } from '../errors/execution-cancelled.js';
import type { Deadlines } from './deadline.js';
import { toErrorEnvelope } from './error-mapping.js';
import { emitAccepted, emitLog, emitProgress, type ChannelLimits, type LogLine } from './event-channel.js';
import type { ExecutionObserver } from './execution-observer.js';
import { createExecutionContext } from './execution-context.js';
import { startWhenConfirmed } from './confirmation.js';
import { failureOf, operationOf, stoppedOutcome, type Outcome } from './outcome.js';
import type { RunningExecution } from './running-executions.js';
import { checkValue, describeProblems, type Checked } from './schema-check.js';

/** What calling a handler needs around it. */
export interface HandlerCallScope {
  readonly service: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ChannelLimits & { readonly maxResultBytes: number };
  readonly timestamp: () => string;
  readonly deadlines: Pick<Deadlines, 'signalOf'>;
  /** Called once for each execution, unless it was given up before. */
  readonly end: (execution: RunningExecution, outcome: Outcome, dataJson?: string) => void;
  /** Ends an execution that turned out not to be this runner's. */
  readonly forget: (execution: RunningExecution) => void;
  readonly observer: ExecutionObserver | undefined;
}

/** A result that may not be sent, and why. */
interface BadResult {
  readonly code: ErrorCode;
  readonly message: string;
}

function toJson(value: unknown, maxBytes: number): string | BadResult {
  let json: string | undefined;
  try {
    json = value === undefined ? 'null' : JSON.stringify(value);
  } catch (error) {
    return { code: 'OUTPUT_INVALID', message: `the result cannot be written as JSON: ${sayThrown(error)}` };
  }
  if (json === undefined) {
    return {
      code: 'OUTPUT_INVALID',
      message: `the result is a ${typeof value}, which cannot be written as JSON`,
    };
  }
  // A UTF-16 unit is at most three bytes of UTF-8: most results need not be measured.
  const bytes = json.length * 3 <= maxBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  return {
    code: 'PAYLOAD_TOO_LARGE',
    message: `the result is ${bytes} bytes of JSON; at most ${maxBytes} can be sent`,
  };
}

function fail(
  { service, end }: HandlerCallScope,
  execution: RunningExecution,
  problem: { readonly code: ErrorCode; readonly message: string; readonly details?: readonly ErrorDetail[] },
): void {
  const { code, ...more } = problem;
  end(execution, failureOf(code, execution, { service, ...more }));
}

function endAsStopped(
  { service, end }: HandlerCallScope,
  execution: RunningExecution,
  { kind }: ExecutionCancelled,
): void {
  end(execution, stoppedOutcome(execution, kind, service));
}

function threw(scope: HandlerCallScope, execution: RunningExecution, thrown: unknown): void {
  const { cancelled, capability, channel, request } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  const { correlationId } = request.metadata;
  const error = toErrorEnvelope(thrown, {
    service: scope.service,
    operation: operationOf(capability),
    correlationId,
  });
  const { executionId, jobId } = request;
  scope.logger.warn(
    { executionId, jobId, capability: capability.id, code: error.code, err: thrown },
    `execution failed: ${error.message}`,
  );
  scope.end(execution, { kind: 'failed', error });
}

function succeed(scope: HandlerCallScope, execution: RunningExecution, checked: Checked): void {
  const { capability, cancelled, channel } = execution;
  if (channel.terminal) return;
  // A result that came in time for the drain still counts; one that came too late or is unwanted does not.
  if (cancelled && cancelled.kind !== 'shutdown') return endAsStopped(scope, execution, cancelled);
  if (checked.problems) {
    const message = `${operationOf(capability)} returned what its output schema refuses: ${describeProblems(checked.problems)}`;
    return fail(scope, execution, { code: 'OUTPUT_INVALID', message, details: checked.problems });
  }
  const json = toJson(checked.value, scope.limits.maxResultBytes);
  if (typeof json !== 'string') {
    return fail(scope, execution, {
      code: json.code,
      message: `${operationOf(capability)}: ${json.message}`,
    });
  }
  scope.end(execution, { kind: 'succeeded', data: checked.value ?? null }, json);
}

function returned(scope: HandlerCallScope, execution: RunningExecution, value: unknown): void {
  const { output } = execution.capability;
  if (execution.channel.terminal) return;
  try {
    const checked = output ? checkValue(output, value, 'output') : { value };
    if (!(checked instanceof Promise)) return succeed(scope, execution, checked);
    checked
      .then((settled) => succeed(scope, execution, settled))
      .catch((error: unknown) => threw(scope, execution, error));
  } catch (error) {
    threw(scope, execution, error);
  }
}

function writeLog(scope: HandlerCallScope, execution: RunningExecution, line: LogLine): void {
  const event = emitLog(execution.channel, line, { at: scope.timestamp(), limits: scope.limits });
  if (!event) return;
  const { level, message, fields } = event;
  const { executionId, jobId } = execution.request;
  scope.logger[level](
    { executionId, jobId, capability: execution.capability.id, ...(fields && { fields }) },
    message,
  );
}

const NEXT = Promise.resolve();

function begin(scope: HandlerCallScope, execution: RunningExecution, checked: Checked): void {
  const { capability, channel, cancelled } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  if (checked.problems) {
    const message = `${describeProblems(checked.problems)} (${operationOf(capability)})`;
    return fail(scope, execution, { code: 'VALIDATION_ERROR', message, details: checked.problems });
  }
  // The reader left while the input was checked: nobody can be told, and the job may be offered elsewhere by now.
  if (channel.sinks.length === 0)
    return scope.end(execution, stoppedOutcome(execution, 'lease-lost', scope.service));
  emitAccepted(channel, scope.timestamp());
  const { claim } = execution;
  if (claim) {
    claim.start = () => invoke(scope, execution, checked.value);
    return startWhenConfirmed(execution, claim, scope.forget);
  }
  // Not at once: whoever sends the acceptance has sent it before the handler can block the thread, or end it.
  // A promise, because queueMicrotask makes an async resource for each call; invoke never throws.
  void NEXT.then(() => invoke(scope, execution, checked.value));
}

function invoke(scope: HandlerCallScope, execution: RunningExecution, input: unknown): void {
  const { capability, channel, cancelled } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  const context = createExecutionContext({
    request: execution.request,
    signal: () => scope.deadlines.signalOf(execution),
    log: (line) => writeLog(scope, execution, line),
    progress: (fraction, message) => emitProgress(channel, { fraction, message, at: scope.timestamp() }),
  });
  try {
    const around = scope.observer?.around;
    const result = around
      ? around(execution, () => capability.execute(input, context))
      : (capability.execute(input, context) as unknown);
    if (!isThenable(result)) return returned(scope, execution, result);
    Promise.resolve(result).then(
      (value) => returned(scope, execution, value),
      (error: unknown) => threw(scope, execution, error),
    );
  } catch (error) {
    threw(scope, execution, error);
  }
}

/** What `await` would wait for: a handler that answers at once costs no promise. */
function isThenable(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}

/**
 * Takes an admitted execution from its input to its end: parse the input, accept, call the handler, parse the
 * output. It returns at once, never throws, and awaits nothing that need not be awaited: with schemas that
 * answer at once, a handler costs one promise.
 */
export function callHandler(scope: HandlerCallScope, execution: RunningExecution): void {
  try {
    const checked = checkValue(execution.capability.input, execution.request.payload, 'input');
    if (!(checked instanceof Promise)) return begin(scope, execution, checked);
    checked
      .then((settled) => begin(scope, execution, settled))
      .catch((error: unknown) => threw(scope, execution, error));
  } catch (error) {
    threw(scope, execution, error);
  }
}
