import type { ErrorCode, ErrorDetail } from '@controlplane/contracts';
import type { Clock } from '../util/clock.js';
import type { Logger } from '../util/logger.js';
import { toErrorEnvelope } from './error-mapping.js';
import { emitAccepted, emitLog, emitProgress, type ChannelLimits, type LogLine } from './event-channel.js';
import { createExecutionContext } from './execution-context.js';
import { failureOf, operationOf, stoppedOutcome, type Outcome } from './outcome.js';
import type { RunningExecution } from './running-executions.js';
import { checkValue, describeProblems, type Checked } from './schema-check.js';

/** What calling a handler needs around it. */
export interface HandlerCallOptions {
  readonly service: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: ChannelLimits & { readonly maxResultBytes: number };
  timestamp(): string;
  signalOf(execution: RunningExecution): AbortSignal;
  /** Called once for each execution, unless it was given up before. */
  end(execution: RunningExecution, outcome: Outcome, dataJson?: string): void;
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
    return { code: 'OUTPUT_INVALID', message: `the result cannot be written as JSON: ${String(error)}` };
  }
  if (json === undefined) {
    return { code: 'OUTPUT_INVALID', message: `the result is a ${typeof value}, which cannot be written as JSON` };
  }
  // A UTF-16 unit is at most three bytes of UTF-8: most results need not be measured.
  const bytes = json.length * 3 <= maxBytes ? json.length : Buffer.byteLength(json);
  if (bytes <= maxBytes) return json;
  return { code: 'PAYLOAD_TOO_LARGE', message: `the result is ${bytes} bytes of JSON; at most ${maxBytes} can be sent` };
}

/**
 * Makes the function that takes an admitted execution from its input to its end: parse the input, accept,
 * call the handler, parse the output. It returns at once, never throws, and awaits nothing that need not be
 * awaited: with schemas that answer at once, a handler costs one promise.
 */
export function createHandlerCall(options: HandlerCallOptions): (execution: RunningExecution) => void {
  const { service, limits, logger, timestamp, signalOf, end } = options;

  function fail(execution: RunningExecution, code: ErrorCode, problem: { message: string; details?: readonly ErrorDetail[] }): void {
    end(execution, failureOf(code, execution, { service, ...problem }));
  }

  function writeLog(execution: RunningExecution, line: LogLine): void {
    const event = emitLog(execution.channel, line, { at: timestamp(), limits });
    if (!event) return;
    const { executionId, jobId } = execution.request;
    logger[event.level]({ executionId, jobId, capability: execution.capability.id, ...(event.fields && { fields: event.fields }) }, event.message);
  }

  function threw(execution: RunningExecution, thrown: unknown): void {
    if (execution.channel.terminal) return;
    const { cancelled, capability, request } = execution;
    if (cancelled) return end(execution, stoppedOutcome(execution, cancelled.kind, service));
    const { correlationId } = request.metadata;
    const error = toErrorEnvelope(thrown, { service, operation: operationOf(capability), correlationId });
    const { executionId, jobId } = request;
    logger.warn({ executionId, jobId, capability: capability.id, code: error.code, err: thrown }, `execution failed: ${error.message}`);
    end(execution, { kind: 'failed', error });
  }

  function succeed(execution: RunningExecution, checked: Checked): void {
    const { capability, cancelled } = execution;
    // A result that came in time for the drain still counts; one that came too late or is unwanted does not.
    if (cancelled && cancelled.kind !== 'shutdown') return end(execution, stoppedOutcome(execution, cancelled.kind, service));
    if (checked.problems) {
      const message = `${operationOf(capability)} returned what its output schema refuses: ${describeProblems(checked.problems)}`;
      return fail(execution, 'OUTPUT_INVALID', { message, details: checked.problems });
    }
    const json = toJson(checked.value, limits.maxResultBytes);
    if (typeof json !== 'string') return fail(execution, json.code, { message: `${operationOf(capability)}: ${json.message}` });
    end(execution, { kind: 'succeeded', data: checked.value ?? null }, json);
  }

  function returned(execution: RunningExecution, value: unknown): void {
    if (execution.channel.terminal) return;
    const { output } = execution.capability;
    try {
      const checked = output ? checkValue(output, value, 'output') : { value };
      if (!(checked instanceof Promise)) return succeed(execution, checked);
      checked.then(
        (settled) => succeed(execution, settled),
        (error: unknown) => threw(execution, error),
      );
    } catch (error) {
      threw(execution, error);
    }
  }

  function begin(execution: RunningExecution, checked: Checked): void {
    const { capability, channel, cancelled } = execution;
    if (channel.terminal) return;
    if (cancelled) return end(execution, stoppedOutcome(execution, cancelled.kind, service));
    if (checked.problems) {
      const message = `${describeProblems(checked.problems)} (${operationOf(capability)})`;
      return fail(execution, 'VALIDATION_ERROR', { message, details: checked.problems });
    }
    emitAccepted(channel, timestamp());
    const context = createExecutionContext({
      request: execution.request,
      signal: () => signalOf(execution),
      log: (line) => writeLog(execution, line),
      progress: (fraction, message) => emitProgress(channel, { fraction, message, at: timestamp() }),
    });
    let result: Promise<unknown>;
    try {
      result = Promise.resolve(capability.execute(checked.value, context));
    } catch (error) {
      return threw(execution, error);
    }
    result.then(
      (value) => returned(execution, value),
      (error: unknown) => threw(execution, error),
    );
  }

  return (execution) => {
    try {
      const checked = checkValue(execution.capability.input, execution.request.payload, 'input');
      if (!(checked instanceof Promise)) return begin(execution, checked);
      checked.then(
        (settled) => begin(execution, settled),
        (error: unknown) => threw(execution, error),
      );
    } catch (error) {
      threw(execution, error);
    }
  };
}
