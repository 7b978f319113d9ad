import { DEFAULTS, type CancelReason } from '@controlplane/contracts';
import type { CapabilityRegistry } from '../capability/capability-registry.js';
import { createTimestamps, sleep, systemClock, type Clock } from '../util/clock.js';
import { silentLogger, type Logger } from '../util/logger.js';
import type { Slots } from './admission.js';
import { claimAgain } from './confirmation.js';
import { createDeadlines } from './deadline.js';
import { createEventChannel, emitTerminal, subscribe } from './event-channel.js';
import { createExecute } from './event-stream.js';
import type { EventSink, Execute, ExecutionRequest, RunOptions, Subscription } from './execute.js';
import { announceShutdown } from './execution-context.js';
import type { ExecutionObserver } from './execution-observer.js';
import { abandon, admit, end, forget, noteUncooperative, stampOf, type Core } from './executor-core.js';
import { callHandler } from './handler-call.js';
import type { HandlerLimits } from './handler-scope.js';
import { refusalEvent, stoppedOutcome } from './outcome.js';
import { createReplayCache, type ReplayLimits } from './replay-cache.js';
import { createRunningExecutions, type RunningExecution } from './running-executions.js';

/** Bounds of an executor; sizes in bytes, times in milliseconds. */
export interface ExecutorLimits extends HandlerLimits {
  readonly cancelGraceMs: number;
  readonly replay: ReplayLimits;
}

export const EXECUTOR_LIMITS: ExecutorLimits = {
  maxLogBytes: 1024 * 1024,
  maxLogEventBytes: 64 * 1024,
  maxLogEvents: 10_000,
  maxResultBytes: DEFAULTS.maxBodyBytes,
  maxCheckpointBytes: 256 * 1024,
  maxOutputChunkBytes: DEFAULTS.logChunkBytes,
  maxOutputChunkMs: DEFAULTS.logChunkMs,
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
  /** How many executions went on for a second or more after they were told to stop, since the start. */
  readonly uncooperative: () => number;
  /** What runs now. */
  readonly executions: () => readonly RunningExecution[];
  /**
   * Accepts nothing new, lets running executions finish within `drainMs`, tells the rest to stop and gives
   * up on them after `graceMs`. Without a `drainMs` they may take as long as they like, and are told nothing.
   * Resolves when none runs. Of several drains at once the one that ends first counts.
   */
  readonly drain: (options: DrainOptions) => Promise<void>;
  /** By the clock's `now`: when a drain has ended everything, at the latest; undefined where that is not known. */
  readonly drainEndsAt: () => number | undefined;
  /** Accepts nothing new and ends what runs at once. */
  readonly abort: () => void;
}

/** How executions are let finish; times in milliseconds. */
export interface DrainOptions {
  readonly drainMs?: number | undefined;
  readonly graceMs: number;
}

function toRunning(
  given: Pick<RunningExecution, 'request' | 'capability' | 'channel' | 'startedMs'>,
  options: RunOptions | undefined,
): RunningExecution {
  const { request, capability, channel, startedMs } = given;
  const confirmed = options?.confirmed;
  return {
    request,
    capability,
    channel,
    startedMs,
    limitMs: request.timeoutMs ?? capability.timeoutMs,
    lastCheckpoint: request.checkpoint,
    acknowledges: options?.acknowledges === true,
    files: options?.files,
    startsAtOnce: options?.startsAtOnce === true,
    cancelled: undefined,
    controller: undefined,
    claim: confirmed && { confirmed, start: undefined },
    deadlineTimer: undefined,
    graceTimer: undefined,
    isUncooperative: false,
    extras: undefined,
    watchSlot: -1,
  };
}

/** Starts an execution, or joins the one that has this id. */
function run(
  core: Core,
  request: ExecutionRequest,
  { sink, options }: { readonly sink: EventSink; readonly options: RunOptions | undefined },
): Subscription {
  const running = core.running.get(request.executionId);
  if (running) claimAgain(running, options?.confirmed, core);
  const startedMs = core.clock.elapsed();
  const known = running?.channel ?? core.replay.get(request.executionId, startedMs);
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
  const execution = toRunning({ request, capability: admitted, channel, startedMs }, options);
  core.running.add(execution);
  core.observer?.started(execution);
  callHandler(core, execution);
  return subscription;
}

function cancel(
  core: Core,
  executionId: string,
  { reason, leaseToken }: { reason: CancelReason; leaseToken?: string | undefined },
): CancelAnswer {
  const execution = core.running.get(executionId);
  if (!execution) return core.replay.get(executionId, core.clock.elapsed()) ? 'ended' : 'unknown';
  const own = execution.request.leaseToken;
  if (leaseToken !== undefined && own !== undefined && leaseToken !== own) return 'superseded';
  if (reason === 'lease-lost' && execution.claim) forget(core, execution);
  else core.deadlines.stop(execution, reason);
  return 'cancelling';
}

function shutDown(core: Core): void {
  core.draining = true;
  core.shuttingDown = true;
}

async function drain(core: Core, { drainMs, graceMs }: DrainOptions): Promise<void> {
  core.draining = true;
  core.drainEndsMs = Math.min(core.drainEndsMs, core.clock.elapsed() + (drainMs ?? Infinity) + graceMs);
  if (drainMs === undefined) return core.running.idle();
  shutDown(core);
  for (const execution of core.running.all()) announceShutdown(execution);
  const waiting = new AbortController();
  await Promise.race([core.running.idle(), sleep(core.clock, drainMs, waiting.signal)]);
  waiting.abort();
  for (const execution of core.running.all()) {
    // What an earlier drain told to stop has its grace already.
    if (execution.cancelled?.kind !== 'shutdown') core.deadlines.stop(execution, 'shutdown', graceMs);
  }
  await core.running.idle();
}

function drainEndsAt({ clock, draining, drainEndsMs, running }: Core): number | undefined {
  if (!draining) return undefined;
  const leftMs = running.size === 0 ? 0 : Math.max(0, drainEndsMs - clock.elapsed());
  return Number.isFinite(leftMs) ? clock.now() + leftMs : undefined;
}

function abort(core: Core): void {
  shutDown(core);
  for (const execution of core.running.all()) {
    announceShutdown(execution);
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
    replay: createReplayCache(limits.replay),
    timestamp: createTimestamps(clock),
    deadlines: createDeadlines({
      clock,
      graces: {
        cancelMs: limits.cancelGraceMs,
        deadlineMs: Math.min(limits.cancelGraceMs, MAX_DEADLINE_GRACE_MS),
      },
      onUncooperative: (execution) => noteUncooperative(core, execution),
      onAbandon: (execution) => abandon(core, execution),
    }),
    end: (execution, outcome, dataJson) => end(core, execution, { outcome, dataJson }),
    forget: (execution) => forget(core, execution),
    draining: false,
    drainEndsMs: Infinity,
    shuttingDown: false,
    uncooperative: 0,
  };
  const executor = {
    run: (request: ExecutionRequest, sink: EventSink, runOptions?: RunOptions) =>
      run(core, request, { sink, options: runOptions }),
    cancel: (executionId: string, reason: CancelReason, leaseToken?: string) =>
      cancel(core, executionId, { reason, leaseToken }),
  };
  return {
    ...executor,
    execute: createExecute(executor),
    executions: () => core.running.all(),
    running: () => core.running.all().map(({ request }) => request.executionId),
    uncooperative: () => core.uncooperative,
    drain: (drainOptions) => drain(core, drainOptions),
    drainEndsAt: () => drainEndsAt(core),
    abort: () => abort(core),
  };
}
