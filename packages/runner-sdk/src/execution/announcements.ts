import { DEFAULTS } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import { createDeferred } from '../util/deferred.js';
import { toBoundedJson } from './bounded-json.js';
import { emitCheckpoint, emitSaid } from './event-channel.js';
import type { HandlerScope } from './handler-scope.js';
import { operationOf } from './outcome.js';
import { extrasOf, type RunningExecution } from './running-executions.js';
import { checkValue, describeProblems, type Checked } from './schema-check.js';

const DONE = Promise.resolve();

/** Why a handler has nothing to announce, and need not go on. */
export function overReason({ cancelled, channel, capability }: RunningExecution): Error | undefined {
  if (cancelled) return cancelled;
  return channel.terminal
    ? new RunnerError('EXECUTION_OVER', `the execution of ${operationOf(capability)} has ended`)
    : undefined;
}

/**
 * Keeps where the work stands, for the next attempt.
 * @returns a promise that rejects with `CHECKPOINT_REFUSED` when the data cannot be kept
 */
export function keepCheckpoint(
  scope: HandlerScope,
  execution: RunningExecution,
  data: unknown,
): Promise<void> {
  const { capability, channel, extras } = execution;
  const refuse = (why: string): Promise<never> =>
    Promise.reject(new RunnerError('CHECKPOINT_REFUSED', `${operationOf(capability)}: ${why}`));
  const json = toBoundedJson(data, scope.limits.maxCheckpointBytes, 'checkpoint');
  if (typeof json !== 'string') return refuse(json.message);
  const keep = ({ problems }: Checked): Promise<void> => {
    if (problems) return refuse(`the checkpoint does not fit its schema: ${describeProblems(problems)}`);
    // A copy: the handler may go on to change what it handed over.
    const kept: unknown = JSON.parse(extras?.secrets?.hideInJson(json) ?? json);
    if (!channel.terminal) emitCheckpoint(channel, kept, scope.timestamp());
    return DONE;
  };
  const checked = checkCheckpoint(execution, data);
  return checked instanceof Promise ? checked.then(keep) : keep(checked);
}

/** Checks a checkpoint against the capability's schema, if there is one. */
export function checkCheckpoint({ capability }: RunningExecution, data: unknown): Checked | Promise<Checked> {
  return capability.checkpoint ? checkValue(capability.checkpoint, data, 'checkpoint') : { value: data };
}

/** When the execution must have ended. */
export function deadlineOf({ clock }: HandlerScope, { startedMs, limitMs }: RunningExecution): Date {
  return new Date(clock.now() + startedMs + limitMs - clock.elapsed());
}

function mostMs({ request, capability }: RunningExecution): number {
  return capability.maxTimeoutMs ?? (request.timeoutMs ?? capability.timeoutMs) + DEFAULTS.maxExtensionMs;
}

/**
 * Gives an execution more time.
 * @returns the new deadline; rejects with `EXTENSION_REFUSED` beyond what the capability allows
 */
export async function extend(
  scope: HandlerScope,
  execution: RunningExecution,
  moreMs: number,
): Promise<Date> {
  const over = overReason(execution);
  if (over) throw over;
  const { limitMs, capability, channel } = execution;
  const refuse = (why: string): RunnerError =>
    new RunnerError('EXTENSION_REFUSED', `${operationOf(capability)}: ctx.extend(${moreMs}) ${why}`);
  if (!(Number.isFinite(moreMs) && moreMs > 0)) throw refuse('is not a number of milliseconds above 0');
  const nextMs = Math.ceil(limitMs + moreMs);
  const maxMs = mostMs(execution);
  if (nextMs > maxMs) {
    throw refuse(
      `would make its time limit ${nextMs} ms; at most ${maxMs} ms are allowed. Raise the capability's maxTimeoutMs`,
    );
  }
  execution.limitMs = nextMs;
  scope.deadlines.extend(execution);
  emitSaid(channel, { type: 'extended', at: scope.timestamp(), timeoutMs: nextMs });
  return deadlineOf(scope, execution);
}

/**
 * Says that the execution is about to write.
 * @returns a promise that resolves once the control plane knows it, where it acknowledges; it rejects when the
 * execution was told to stop before: then nothing may be written
 */
export function announceWriting(scope: HandlerScope, execution: RunningExecution): Promise<void> {
  const { capability } = execution;
  if (capability.effects !== 'writes') {
    const problem = `has the effects "${capability.effects}"; ctx.willWrite() is for effects "writes" with announcesWrites: true`;
    return Promise.reject(new RunnerError('INVALID_CAPABILITY', `${operationOf(capability)} ${problem}`));
  }
  const over = overReason(execution);
  if (over) return Promise.reject(over);
  // Not announced beforehand: it counts as writing from its acceptance on.
  if (!capability.announcesWrites) return DONE;
  return (extrasOf(execution).writing ??= announce(scope, execution));
}

function announce(scope: HandlerScope, execution: RunningExecution): Promise<void> {
  const { channel, acknowledges } = execution;
  const { seq } = emitSaid(channel, { type: 'writing', at: scope.timestamp() });
  if (!acknowledges || channel.acknowledgedSeq >= seq) return DONE;
  const known = createDeferred<void>();
  channel.onAcknowledge = () => {
    if (channel.acknowledgedSeq < seq) return;
    channel.onAcknowledge = undefined;
    known.resolve();
  };
  extrasOf(execution).onStop = known.reject;
  return known.promise;
}
