import type { ErrorCode } from '@controlplane/contracts';
import type { CapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import type { Slots } from './admission.js';
import type { Deadlines } from './deadline.js';
import { closeSilently, emitTerminal } from './event-channel.js';
import type { ExecutionRequest } from './execute.js';
import { finishVoice } from './execution-voice.js';
import type { HandlerScope } from './handler-scope.js';
import { stoppedOutcome, toTerminalEvent, type Outcome, type OutcomeStamp } from './outcome.js';
import type { ReplayCache } from './replay-cache.js';
import type { RunningExecution, RunningExecutions } from './running-executions.js';

/** The parts of one executor, and what changes while it runs. */
export interface Core extends HandlerScope {
  readonly registry: CapabilityRegistry;
  readonly slots: Slots;
  readonly running: RunningExecutions;
  readonly replay: ReplayCache;
  readonly deadlines: Deadlines;
  readonly runnerId: () => string | undefined;
  readonly instanceId: string | undefined;
  /** Nothing new is accepted. */
  draining: boolean;
  /** By the clock's `elapsed`: when a drain gives up the last execution. */
  drainEndsMs: number;
  shuttingDown: boolean;
  /** Executions that went on for a second after they were told to stop. */
  uncooperative: number;
}

/** What terminal events of this moment carry. */
export function stampOf({ timestamp, clock, service, runnerId }: Core): OutcomeStamp {
  return { at: timestamp(), elapsedMs: clock.elapsed(), service, runnerId: runnerId() };
}

function leave(core: Core, execution: RunningExecution): void {
  core.deadlines.disarm(execution);
  core.slots.release(execution.capability);
  core.running.remove(execution);
}

/** Ends an execution; once. Its slot is free when the terminal event is heard. */
export function end(
  core: Core,
  execution: RunningExecution,
  ending: { readonly outcome: Outcome; readonly dataJson?: string | undefined },
): void {
  const { channel, extras } = execution;
  if (channel.terminal) return;
  if (extras || channel.bounds) finishVoice(core, execution);
  leave(core, execution);
  const stamp = stampOf(core);
  const event = toTerminalEvent(execution, ending.outcome, stamp);
  emitTerminal(channel, event, ending.dataJson);
  core.observer?.ended(execution, event);
  // What was refused may be offered again; what was accepted is answered from memory.
  if (channel.accepted !== undefined) core.replay.put(channel, stamp.elapsedMs);
}

/** Ends an execution that is not this runner's: nobody is told, nothing is remembered. */
export function forget(core: Core, execution: RunningExecution): void {
  const { channel } = execution;
  if (channel.terminal) return;
  leave(core, execution);
  const outcome = stoppedOutcome(execution, 'lease-lost', core.service);
  closeSilently(channel, toTerminalEvent(execution, outcome, stampOf(core)));
  core.observer?.ended(execution, undefined);
}

/** Notes that a handler goes on although it was told to stop. */
export function noteUncooperative(core: Core, execution: RunningExecution): void {
  if (execution.claim) return;
  core.uncooperative++;
  const { executionId, jobId, capabilityId } = execution.request;
  core.logger.warn(
    { executionId, jobId, capability: capabilityId, reason: execution.cancelled?.kind },
    'the handler goes on although its signal is aborted: pass ctx.signal to what it waits for, or isolate it',
  );
}

/** Gives a handler up that did not stop in time. */
export function abandon(core: Core, execution: RunningExecution): void {
  if (execution.claim) return forget(core, execution);
  const kind = execution.cancelled?.kind ?? 'deadline';
  const { executionId, jobId } = execution.request;
  core.logger.warn(
    { executionId, jobId, capability: execution.capability.id, reason: kind },
    'the handler ignored its signal and was given up; its slot is free, its work may still go on',
  );
  end(core, execution, { outcome: stoppedOutcome(execution, kind, core.service) });
}

/** Why an execution is not admitted. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Takes a slot, or says why there is none for this request. */
export function admit(core: Core, request: ExecutionRequest): Capability | Refusal {
  const { draining, registry, slots, service, instanceId } = core;
  if (instanceId !== undefined && request.instanceId !== undefined && request.instanceId !== instanceId) {
    return {
      code: 'INSTANCE_MISMATCH',
      message: `this is the process "${instanceId}" of the runner "${service}", not "${request.instanceId}"`,
    };
  }
  if (draining)
    return {
      code: 'RUNNER_DRAINING',
      message: `the runner "${service}" is shutting down and accepts nothing new`,
    };
  const capability = registry.get(request.capabilityId);
  if (!capability) {
    const offered = registry
      .list()
      .map(({ id }) => id)
      .join(', ');
    return {
      code: 'CAPABILITY_NOT_FOUND',
      message: `the runner "${service}" does not offer "${request.capabilityId}"; it offers ${offered}`,
    };
  }
  const full = slots.take(capability);
  return full === undefined ? capability : { code: 'RUNNER_BUSY', message: full };
}
