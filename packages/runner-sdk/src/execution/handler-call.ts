import type { ErrorCode, ErrorDetail } from '@controlplane/contracts';
import type { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { checkCheckpoint } from './announcements.js';
import { toBoundedJson } from './bounded-json.js';
import { startWhenConfirmed } from './confirmation.js';
import { toErrorEnvelope } from './error-mapping.js';
import { emitAccepted } from './event-channel.js';
import type { ResultRoom } from './execute.js';
import { createExecutionContext } from './execution-context.js';
import { hideGivenSecrets, missingSecrets } from './given-secrets.js';
import type { HandlerScope } from './handler-scope.js';
import { failureOf, operationOf, stoppedOutcome } from './outcome.js';
import type { RunningExecution } from './running-executions.js';
import { fetchInput } from './payload-file.js';
import { checkValue, describeProblems, type Checked } from './schema-check.js';

function fail(
  { service, end }: HandlerScope,
  execution: RunningExecution,
  problem: { readonly code: ErrorCode; readonly message: string; readonly details?: readonly ErrorDetail[] },
): void {
  const { code, ...more } = problem;
  end(execution, failureOf(code, execution, { service, ...more }));
}

function endAsStopped(
  { service, end }: HandlerScope,
  execution: RunningExecution,
  { kind }: ExecutionCancelled,
): void {
  end(execution, stoppedOutcome(execution, kind, service));
}

function threw(scope: HandlerScope, execution: RunningExecution, thrown: unknown): void {
  const { cancelled, capability, channel, request, extras } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  const { correlationId } = request.metadata;
  const plain = toErrorEnvelope(thrown, {
    service: scope.service,
    operation: operationOf(capability),
    correlationId,
  });
  const secrets = extras?.secrets;
  const error = secrets ? secrets.hideIn(plain) : plain;
  const { executionId, jobId } = request;
  // The thrown value holds its texts as they were: where there are secrets, the envelope must do.
  const err = secrets ? error : thrown;
  scope.logger.warn(
    { executionId, jobId, capability: capability.id, code: error.code, err },
    `execution failed: ${error.message}`,
  );
  scope.end(execution, { kind: 'failed', error });
}

/** Where a result may go that is too large for an event: secrets are looked for in events alone. */
function roomFor({ files, request }: RunningExecution): ResultRoom | undefined {
  return request.secrets === undefined ? files?.results?.() : undefined;
}

// A UTF-16 unit is at most three bytes of UTF-8: most results need not be measured.
const isLarge = (json: string, { maxInlineBytes }: ResultRoom): boolean =>
  json.length * 3 > maxInlineBytes && Buffer.byteLength(json) > maxInlineBytes;

/** Brings a result to where it is kept, and ends the execution once it is there. */
function bring(
  scope: HandlerScope,
  execution: RunningExecution,
  { room, json }: { readonly room: ResultRoom; readonly json: string },
): void {
  scope.deadlines.arm(execution);
  room
    .put(execution.request, json, scope.deadlines.signalOf(execution))
    .then((dataFile) => {
      if (!execution.channel.terminal) scope.end(execution, { kind: 'succeeded', dataFile });
    })
    .catch((error: unknown) => threw(scope, execution, error));
}

function succeed(scope: HandlerScope, execution: RunningExecution, checked: Checked): void {
  const { capability, cancelled, channel } = execution;
  if (channel.terminal) return;
  // A result that came in time for the drain still counts; one that came too late or is unwanted does not.
  if (cancelled && cancelled.kind !== 'shutdown') return endAsStopped(scope, execution, cancelled);
  if (checked.problems) {
    const message = `${operationOf(capability)} returned what its output schema refuses: ${describeProblems(checked.problems)}`;
    return fail(scope, execution, { code: 'OUTPUT_INVALID', message, details: checked.problems });
  }
  const room = roomFor(execution);
  const json = toBoundedJson(checked.value, room?.maxBytes ?? scope.limits.maxResultBytes, 'result');
  if (typeof json !== 'string') {
    return fail(scope, execution, {
      code: json.code,
      message: `${operationOf(capability)}: ${json.message}`,
    });
  }
  if (room !== undefined && isLarge(json, room)) return bring(scope, execution, { room, json });
  scope.end(execution, { kind: 'succeeded', data: checked.value ?? null }, json);
}

function returned(scope: HandlerScope, execution: RunningExecution, value: unknown): void {
  const { output } = execution.capability;
  if (execution.channel.terminal) return;
  try {
    const checked = output ? checkValue(output, value, 'output') : { value };
    if (!(checked instanceof Promise)) return succeed(scope, execution, checked);
    scope.deadlines.arm(execution);
    checked
      .then((settled) => succeed(scope, execution, settled))
      .catch((error: unknown) => threw(scope, execution, error));
  } catch (error) {
    threw(scope, execution, error);
  }
}

const NEXT = Promise.resolve();

function failInvalid(
  scope: HandlerScope,
  execution: RunningExecution,
  details: readonly ErrorDetail[],
): void {
  const message = `${describeProblems(details)} (${operationOf(execution.capability)})`;
  fail(scope, execution, { code: 'VALIDATION_ERROR', message, details });
}

/** Calls the handler, with the input that came or, where that travels as a file, once it has been fetched. */
function start(scope: HandlerScope, execution: RunningExecution, input: unknown): void {
  const { payloadFile } = execution.request;
  if (payloadFile === undefined) return invoke(scope, execution, input);
  if (execution.channel.terminal) return;
  scope.deadlines.arm(execution);
  fetchInput(scope, execution, payloadFile)
    .then((checked) =>
      checked.problems
        ? failInvalid(scope, execution, checked.problems)
        : invoke(scope, execution, checked.value),
    )
    .catch((error: unknown) => threw(scope, execution, error));
}

function begin(scope: HandlerScope, execution: RunningExecution, checked: Checked): void {
  const { channel, cancelled } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  if (checked.problems) return failInvalid(scope, execution, checked.problems);
  const missing = missingSecrets(execution);
  if (missing.length > 0) {
    const message = `${operationOf(execution.capability)} was not given ${missing.join(', ')}`;
    return fail(scope, execution, { code: 'SECRET_MISSING', message });
  }
  // The reader left while the input was checked: nobody can be told, and the job may be offered elsewhere by now.
  if (!channel.listener) return scope.end(execution, stoppedOutcome(execution, 'lease-lost', scope.service));
  emitAccepted(channel, scope.timestamp());
  // Whoever brought it could not pass the acceptance on, and left: it is offered elsewhere.
  if (!channel.listener) return scope.forget(execution);
  const { claim } = execution;
  if (claim) {
    claim.start = () => start(scope, execution, checked.value);
    scope.deadlines.arm(execution);
    return startWhenConfirmed(execution, claim, scope);
  }
  if (execution.startsAtOnce) return start(scope, execution, checked.value);
  // Not at once: whoever sends the acceptance has sent it before the handler can block the thread, or end it.
  // A promise, because queueMicrotask makes an async resource for each call; invoke never throws.
  void NEXT.then(() => start(scope, execution, checked.value));
}

function invoke(scope: HandlerScope, execution: RunningExecution, input: unknown): void {
  const { capability, channel, cancelled } = execution;
  if (channel.terminal) return;
  if (cancelled) return endAsStopped(scope, execution, cancelled);
  const context = createExecutionContext(scope, execution);
  try {
    const around = scope.observer?.around;
    const result: unknown = around
      ? around(execution, () => capability.execute(input, context))
      : capability.execute(input, context);
    if (!isThenable(result)) return returned(scope, execution, result);
    scope.deadlines.arm(execution);
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

/** A checkpoint that a version before left may not fit any more: the work then begins from its start. */
function restoreCheckpoint(scope: HandlerScope, execution: RunningExecution, checked: Checked): void {
  if (!checked.problems) {
    execution.lastCheckpoint = checked.value;
    return;
  }
  execution.lastCheckpoint = undefined;
  const { executionId, jobId, capabilityId } = execution.request;
  scope.logger.warn(
    { executionId, jobId, capability: capabilityId },
    `the last checkpoint does not fit the schema and is left out: ${describeProblems(checked.problems)}`,
  );
}

function checkGiven(scope: HandlerScope, execution: RunningExecution): Checked | Promise<Checked> {
  const { capability, lastCheckpoint, request } = execution;
  // What travels as a file is checked when it has come.
  const input: Checked | Promise<Checked> =
    request.payloadFile === undefined
      ? checkValue(capability.input, request.payload, 'input')
      : { value: undefined };
  if (lastCheckpoint === undefined || !capability.checkpoint) return input;
  const checkpoint = checkCheckpoint(execution, lastCheckpoint);
  if (!(checkpoint instanceof Promise)) {
    restoreCheckpoint(scope, execution, checkpoint);
    return input;
  }
  return checkpoint.then((checked) => {
    restoreCheckpoint(scope, execution, checked);
    return input;
  });
}

/**
 * Takes an admitted execution from its input to its end: parse the input, accept, call the handler, parse the
 * output. It returns at once, never throws, and awaits nothing that need not be awaited: with schemas that
 * answer at once, a handler costs one promise.
 */
export function callHandler(scope: HandlerScope, execution: RunningExecution): void {
  hideGivenSecrets(execution);
  try {
    const checked = checkGiven(scope, execution);
    if (!(checked instanceof Promise)) return begin(scope, execution, checked);
    scope.deadlines.arm(execution);
    checked
      .then((settled) => begin(scope, execution, settled))
      .catch((error: unknown) => threw(scope, execution, error));
  } catch (error) {
    threw(scope, execution, error);
  }
}
