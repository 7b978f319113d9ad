import { DEFAULTS, type CancelReason, type ErrorCode } from '@controlplane/contracts';
import type { CapabilityRegistry } from '../capability/capability-registry.js';
import type { Capability } from '../capability/capability.js';
import { createTimestamps, sleep, systemClock, type Clock } from '../util/clock.js';
import { silentLogger, type Logger } from '../util/logger.js';
import type { Slots } from './admission.js';
import { createDeadlines } from './deadline.js';
import { createEventChannel, emitTerminal, subscribe, type ChannelLimits } from './event-channel.js';
import { createExecute } from './event-stream.js';
import type { EventSink, Execute, ExecutionRequest, Subscription } from './execute.js';
import { createHandlerCall } from './handler-call.js';
import { failureOf, stoppedOutcome, toTerminalEvent, type Outcome } from './outcome.js';
import { createReplayCache, type ReplayLimits } from './replay-cache.js';
import { createRunningExecutions, type RunningExecution } from './running-executions.js';

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
  replay: { maxCount: 1000, maxBytes: 16 * 1024 * 1024, maxAgeMs: 10 * 60_000 },
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
}

/** What came of a request to cancel. */
export type CancelAnswer = 'cancelling' | 'ended' | 'unknown' | 'superseded';

/** Runs executions, each in a slot, each exactly once. */
export interface Executor {
  readonly execute: Execute;
  /** The core of `execute`, without the cost of an async iterator: events go to the sink as they happen. */
  run(request: ExecutionRequest, sink: EventSink): Subscription;
  /** Tells an execution to stop. With a lease token that is not its own, nothing happens. */
  cancel(executionId: string, reason: CancelReason, leaseToken?: string): CancelAnswer;
  /** The ids of what runs now. */
  running(): string[];
  readonly draining: boolean;
  /**
   * Accepts nothing new, lets running executions finish within `drainMs`, tells the rest to stop and gives
   * up on them after `graceMs`. Resolves when none runs.
   */
  drain(options: { readonly drainMs: number; readonly graceMs: number }): Promise<void>;
  /** Accepts nothing new and ends what runs at once. */
  abort(): void;
}

/** Makes an executor. */
export function createExecutor(options: ExecutorOptions): Executor {
  const { registry, slots, service, clock = systemClock, logger = silentLogger } = options;
  const limits: ExecutorLimits = { ...EXECUTOR_LIMITS, ...options.limits };
  const running = createRunningExecutions();
  const replay = createReplayCache(limits.replay, clock);
  const timestamp = createTimestamps(clock);
  const deadlines = createDeadlines({
    clock,
    graces: { cancelMs: limits.cancelGraceMs, deadlineMs: Math.min(limits.cancelGraceMs, MAX_DEADLINE_GRACE_MS) },
    onAbandon: abandon,
  });
  const call = createHandlerCall({ service, clock, logger, limits, timestamp, signalOf: deadlines.signalOf, end });
  let draining = false;

  function end(execution: RunningExecution, outcome: Outcome, dataJson?: string): void {
    const { channel, capability } = execution;
    if (channel.terminal) return;
    deadlines.disarm(execution);
    slots.release(capability);
    running.remove(execution);
    const stamp = { at: timestamp(), elapsedMs: clock.elapsed(), service, runnerId: options.runnerId?.() };
    // What was refused may be offered again; what was accepted is answered from memory.
    const wasAccepted = channel.accepted !== undefined;
    emitTerminal(channel, toTerminalEvent(execution, outcome, stamp), dataJson);
    if (wasAccepted) replay.put(channel);
  }

  function abandon(execution: RunningExecution): void {
    const kind = execution.cancelled?.kind ?? 'deadline';
    const { executionId, jobId } = execution.request;
    logger.warn(
      { executionId, jobId, capability: execution.capability.id, reason: kind },
      'the handler ignored its signal and was given up; its slot is free, its work may still go on',
    );
    end(execution, stoppedOutcome(execution, kind, service));
  }

  function refuse(request: ExecutionRequest, sink: EventSink, refusal: { code: ErrorCode; message: string }): Subscription {
    const channel = createEventChannel(request.executionId);
    const capability = registry.get(request.capabilityId) ?? { id: request.capabilityId, version: '?' };
    const outcome = failureOf(refusal.code, { request, capability: capability as Capability }, { service, message: refusal.message });
    const stamp = { at: timestamp(), elapsedMs: 0, service, runnerId: options.runnerId?.() };
    emitTerminal(channel, toTerminalEvent({ channel, startedMs: 0 } as RunningExecution, outcome, stamp));
    return subscribe(channel, sink);
  }

  function start(request: ExecutionRequest, capability: Capability, sink: EventSink): Subscription {
    const execution: RunningExecution = {
      request,
      capability,
      channel: createEventChannel(request.executionId),
      startedMs: clock.elapsed(),
      cancelled: undefined,
      controller: undefined,
      deadlineTimer: undefined,
      graceTimer: undefined,
    };
    running.add(execution);
    const subscription = subscribe(execution.channel, sink);
    deadlines.arm(execution);
    call(execution);
    return subscription;
  }

  function run(request: ExecutionRequest, sink: EventSink): Subscription {
    const known = running.get(request.executionId)?.channel ?? replay.get(request.executionId);
    if (known) return subscribe(known, sink);
    if (draining) {
      return refuse(request, sink, { code: 'RUNNER_DRAINING', message: `the runner "${service}" is shutting down and accepts nothing new` });
    }
    const capability = registry.get(request.capabilityId);
    if (!capability) {
      const offered = registry.list().map(({ id }) => id).join(', ');
      return refuse(request, sink, {
        code: 'CAPABILITY_NOT_FOUND',
        message: `the runner "${service}" does not offer "${request.capabilityId}"; it offers ${offered}`,
      });
    }
    const full = slots.take(capability);
    if (full !== undefined) return refuse(request, sink, { code: 'RUNNER_BUSY', message: full });
    return start(request, capability, sink);
  }

  function cancel(executionId: string, reason: CancelReason, leaseToken?: string): CancelAnswer {
    const execution = running.get(executionId);
    if (!execution) return replay.get(executionId) ? 'ended' : 'unknown';
    const own = execution.request.leaseToken;
    if (leaseToken !== undefined && own !== undefined && leaseToken !== own) return 'superseded';
    deadlines.stop(execution, reason);
    return 'cancelling';
  }

  async function drain({ drainMs, graceMs }: { drainMs: number; graceMs: number }): Promise<void> {
    draining = true;
    const waiting = new AbortController();
    await Promise.race([running.idle(), sleep(clock, drainMs, waiting.signal)]);
    waiting.abort();
    for (const execution of running.all()) deadlines.stop(execution, 'shutdown', graceMs);
    await running.idle();
  }

  function abort(): void {
    draining = true;
    for (const execution of running.all()) {
      deadlines.stop(execution, 'shutdown', 0);
      end(execution, stoppedOutcome(execution, 'shutdown', service));
    }
  }

  return {
    execute: createExecute({ run, cancel }),
    run,
    cancel,
    running: () => running.all().map(({ request }) => request.executionId),
    get draining() {
      return draining;
    },
    drain,
    abort,
  };
}
