import { DEFAULTS, type CancelReason, type ErrorCode } from '@controlplane/contracts';
import type { CapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { createTimestamps, sleep, systemClock, type Clock } from '../util/clock.js';
import { silentLogger, type Logger } from '../util/logger.js';
import type { Slots } from './admission.js';
import { claimAgain } from './confirmation.js';
import { createDeadlines, type Deadlines } from './deadline.js';
import { createEventChannel, emitTerminal, subscribe, type ChannelLimits } from './event-channel.js';
import { createExecute } from './event-stream.js';
import type { ExecutionObserver } from './execution-observer.js';
import type { EventSink, Execute, ExecutionRequest, RunOptions, Subscription } from './execute.js';
import { callHandler, type HandlerCallScope } from './handler-call.js';
import { refusalEvent, stoppedOutcome, toTerminalEvent, type Outcome } from './outcome.js';
import { createReplayCache, type ReplayCache, type ReplayLimits } from './replay-cache.js';
import {
  createRunningExecutions,
  type RunningExecution,
  type RunningExecutions,
} from './running-executions.js';

/** Bounds of an executor; sizes in bytes, times in milliseconds. */
export interface ExecutorLimits extends ChannelLimits {
  /** JSON of one result. */
  readonly maxResultBytes: number;
  readonly cancelGraceMs: number;
  readonly replay: ReplayLimits;
}

export const EXECUTOR_LIMITS: ExecutorLimits = {
  maxLogBytes: 1024 * 1024,
  maxLogEventBytes: 64 * 1024,
  maxResultBytes: DEFAULTS.maxBodyBytes,
  cancelGraceMs: DEFAULTS.cancelGraceMs,
  replay: { maxCount: 5000, maxBytes: 16 * 1024 * 1024, maxAgeMs: 10 * 60_000 },
};

/** The control plane decides by itself ten seconds after a deadline: the runner must have spoken by then. */
const MAX_DEADLINE_GRACE_MS = 5_000;

/** What an executor is made of. */
export interface ExecutorOptions {
  readonly registry: CapabilityRegistry;
  readonly slots: Slots;
  /** The runner's name. */
  readonly service: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  readonly limits?: Partial<ExecutorLimits>;
  /** The id that the control plane gave the runner, for the terminal events. */
  readonly runnerId?: () => string | undefined;
  /** This process, as it registers. Executions that name another are refused. Default: none is. */
  readonly instanceId?: string;
  readonly observer?: ExecutionObserver | undefined;
}

/** What came of a request to cancel. */
export type CancelAnswer = 'cancelling' | 'ended' | 'unknown' | 'superseded';

/** Runs executions, each in a slot, each exactly once. */
export interface Executor {
  readonly execute: Execute;
  /** The core of `execute`, without the cost of an async iterator: events go to the sink as they happen. */
  readonly run: (request: ExecutionRequest, sink: EventSink, options?: RunOptions) => Subscription;
  /** Tells an execution to stop. With a lease token that is not its own, nothing happens. */
  readonly cancel: (executionId: string, reason: CancelReason, leaseToken?: string) => CancelAnswer;
  /** The ids of what runs now. */
  readonly running: () => string[];
  /** What runs now. */
  readonly executions: () => readonly RunningExecution[];
  /**
   * Accepts nothing new, lets running executions finish within `drainMs`, tells the rest to stop and gives
   * up on them after `graceMs`. Resolves when none runs.
   */
  readonly drain: (options: { readonly drainMs: number; readonly graceMs: number }) => Promise<void>;
  /** Accepts nothing new and ends what runs at once. */
  readonly abort: () => void;
}

interface Core extends HandlerCallScope {
  readonly registry: CapabilityRegistry;
  readonly slots: Slots;
  readonly running: RunningExecutions;
  readonly replay: ReplayCache;
  readonly deadlines: Deadlines;
  readonly runnerId: () => string | undefined;
  readonly instanceId: string | undefined;
  draining: boolean;
}

function stampOf({ timestamp, clock, service, runnerId }: Core) {
  return { at: timestamp(), elapsedMs: clock.elapsed(), service, runnerId: runnerId() };
}

function end(
  core: Core,
  execution: RunningExecution,
  ending: { readonly outcome: Outcome; readonly dataJson?: string | undefined },
): void {
  const { channel, capability } = execution;
  if (channel.terminal) return;
  core.deadlines.disarm(execution);
  core.slots.release(capability);
  core.running.remove(execution);
  const event = toTerminalEvent(execution, ending.outcome, stampOf(core));
  emitTerminal(channel, event, ending.dataJson);
  core.observer?.ended(execution, event);
  // What was refused may be offered again; what was accepted is answered from memory.
  if (channel.accepted !== undefined) core.replay.put(channel);
}

/** Ends an execution that is not this runner's: nobody is told, nothing is remembered. */
function forget(core: Core, execution: RunningExecution): void {
  const { channel, capability } = execution;
  if (channel.terminal) return;
  core.deadlines.disarm(execution);
  core.slots.release(capability);
  core.running.remove(execution);
  channel.sinks = [];
  const outcome = stoppedOutcome(execution, 'lease-lost', core.service);
  emitTerminal(channel, toTerminalEvent(execution, outcome, stampOf(core)));
  core.observer?.ended(execution, undefined);
}

function abandon(core: Core, execution: RunningExecution): void {
  if (execution.claim) return forget(core, execution);
  const kind = execution.cancelled?.kind ?? 'deadline';
  const { executionId, jobId } = execution.request;
  core.logger.warn(
    { executionId, jobId, capability: execution.capability.id, reason: kind },
    'the handler ignored its signal and was given up; its slot is free, its work may still go on',
  );
  end(core, execution, { outcome: stoppedOutcome(execution, kind, core.service) });
}

interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Takes a slot, or says why there is none for this request. */
function admit(core: Core, request: ExecutionRequest): Capability | Refusal {
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

function run(
  core: Core,
  request: ExecutionRequest,
  { sink, confirmed }: RunOptions & { readonly sink: EventSink },
): Subscription {
  const running = core.running.get(request.executionId);
  if (running) claimAgain(running, confirmed, core.forget);
  const known = running?.channel ?? core.replay.get(request.executionId);
  if (known) return subscribe(known, sink);
  const channel = createEventChannel(request.executionId);
  const subscription = subscribe(channel, sink);
  const admitted = admit(core, request);
  if ('code' in admitted) {
    const event = refusalEvent(request, admitted, stampOf(core));
    emitTerminal(channel, event);
    core.observer?.refused?.(request, event);
    return subscription;
  }
  const execution: RunningExecution = {
    request,
    capability: admitted,
    channel,
    startedMs: core.clock.elapsed(),
    cancelled: undefined,
    controller: undefined,
    claim: confirmed && { confirmed, start: undefined },
    deadlineTimer: undefined,
    graceTimer: undefined,
  };
  core.running.add(execution);
  core.observer?.started(execution);
  core.deadlines.arm(execution);
  callHandler(core, execution);
  return subscription;
}

function cancel(
  core: Core,
  executionId: string,
  { reason, leaseToken }: { reason: CancelReason; leaseToken?: string | undefined },
): CancelAnswer {
  const execution = core.running.get(executionId);
  if (!execution) return core.replay.get(executionId) ? 'ended' : 'unknown';
  const own = execution.request.leaseToken;
  if (leaseToken !== undefined && own !== undefined && leaseToken !== own) return 'superseded';
  if (reason === 'lease-lost' && execution.claim) forget(core, execution);
  else core.deadlines.stop(execution, reason);
  return 'cancelling';
}

async function drain(core: Core, { drainMs, graceMs }: { drainMs: number; graceMs: number }): Promise<void> {
  core.draining = true;
  const waiting = new AbortController();
  await Promise.race([core.running.idle(), sleep(core.clock, drainMs, waiting.signal)]);
  waiting.abort();
  for (const execution of core.running.all()) core.deadlines.stop(execution, 'shutdown', graceMs);
  await core.running.idle();
}

function abort(core: Core): void {
  core.draining = true;
  for (const execution of core.running.all()) {
    if (execution.claim) {
      forget(core, execution);
      continue;
    }
    core.deadlines.stop(execution, 'shutdown', 0);
    // What was cancelled or timed out before stays so: handed back, it would be run again.
    end(core, execution, {
      outcome: stoppedOutcome(execution, execution.cancelled?.kind ?? 'shutdown', core.service),
    });
  }
}

/** Makes an executor. */
export function createExecutor(options: ExecutorOptions): Executor {
  const {
    registry,
    slots,
    service,
    clock = systemClock,
    logger = silentLogger,
    runnerId = () => undefined,
  } = options;
  const limits: ExecutorLimits = { ...EXECUTOR_LIMITS, ...options.limits };
  const core: Core = {
    registry,
    slots,
    service,
    clock,
    logger,
    limits,
    runnerId,
    instanceId: options.instanceId,
    observer: options.observer,
    running: createRunningExecutions(),
    replay: createReplayCache(limits.replay, clock),
    timestamp: createTimestamps(clock),
    deadlines: createDeadlines({
      clock,
      graces: {
        cancelMs: limits.cancelGraceMs,
        deadlineMs: Math.min(limits.cancelGraceMs, MAX_DEADLINE_GRACE_MS),
      },
      onAbandon: (execution) => abandon(core, execution),
    }),
    end: (execution, outcome, dataJson) => end(core, execution, { outcome, dataJson }),
    forget: (execution) => forget(core, execution),
    draining: false,
  };
  const executor = {
    run: (request: ExecutionRequest, sink: EventSink, runOptions?: RunOptions) =>
      run(core, request, { ...runOptions, sink }),
    cancel: (executionId: string, reason: CancelReason, leaseToken?: string) =>
      cancel(core, executionId, { reason, leaseToken }),
  };
  return {
    ...executor,
    execute: createExecute(executor),
    executions: () => core.running.all(),
    running: () => core.running.all().map(({ request }) => request.executionId),
    drain: (drainOptions) => drain(core, drainOptions),
    abort: () => abort(core),
  };
}
