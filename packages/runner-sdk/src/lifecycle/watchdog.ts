import * as inspector from 'node:inspector';
import { isMainThread, Worker } from 'node:worker_threads';
import { RunnerHeartbeatResponse } from '@controlplane/contracts';
import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { StandIn, StandInBeat } from '../hosts/host.js';
import type { Logger } from '../util/logger.js';
import { sayThrown } from '../util/safe-json.js';
import { STALL_SAMPLER_SOURCE } from './stall-sampler-source.js';
import { createWatchdogMemory, MAX_WATCHED_SESSIONS, WATCHDOG_LAYOUT } from './watchdog-memory.js';
import { WATCHDOG_SOURCE } from './watchdog-source.js';

/** Beats in the stead of a main thread that does not answer, for every session of a runner. */
export interface Watchdog {
  /**
   * The stand-in of one session.
   * @param onReply - takes what was answered meanwhile, once the main thread answers again
   */
  readonly standIn: (onReply: TakesReply) => StandIn;
  /** Has to see every execution: a beat renews the leases of those that run. */
  readonly observer: ExecutionObserver;
  /** Ends the thread. */
  stop(): Promise<void>;
}

/** A time in which the main thread did not answer. */
export interface Stall {
  readonly stalledMs: number;
  /** Heartbeats that were sent in its stead. */
  readonly beats: number;
}

type TakesReply = (reply: RunnerHeartbeatResponse) => void;

/** What a watchdog needs. */
export interface WatchdogOptions {
  readonly logger: Logger;
  readonly instanceId: string;
  /** Executions that may run at once. */
  readonly capacity: number;
  readonly onStalled?: ((stall: Stall) => void) | undefined;
}

/** Milliseconds between two signs of life; a main thread that misses two has stalled. */
const PULSE = { minMs: 100, maxMs: 500, perInterval: 20 } as const;

/** It holds a request at a time for each session. In megabytes. */
const LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 } as const;

/** What the thread tells when the main thread answers again. */
interface ToldStall {
  readonly stalledMs: number;
  /** Where the main thread was, one line a frame, the innermost first; not every stall is looked into. */
  readonly stack?: string;
  readonly sessions: ReadonlyArray<{
    readonly id: number;
    readonly beats: number;
    readonly replies: readonly unknown[];
    readonly problem?: string;
  }>;
}

const pulseMsOf = (intervalMs: number): number =>
  Math.min(PULSE.maxMs, Math.max(PULSE.minMs, Math.round(intervalMs / PULSE.perInterval)));

/** A program that is being debugged is held by its debugger; and only the first thread of a process can be looked at. */
function samplerSource(): string | undefined {
  try {
    return isMainThread && inspector.url() === undefined ? STALL_SAMPLER_SOURCE : undefined;
  } catch {
    // Bun and Deno have the module, and not all of it.
    return undefined;
  }
}

interface Thread {
  /** Starts it, unless it runs already or is gone. */
  tell(message: object): void;
  stop(): Promise<void>;
  readonly isGone: boolean;
}

function createThread(
  shared: SharedArrayBuffer,
  on: { readonly stall: (stall: ToldStall) => void; readonly gone: (why: string) => void },
): Thread {
  let thread: Worker | undefined;
  let isGone = false;

  function giveUp(why: string): void {
    if (isGone) return;
    isGone = true;
    on.gone(why);
  }

  function start(): Worker | undefined {
    try {
      const started = new Worker(WATCHDOG_SOURCE, {
        eval: true,
        name: 'controlplane-watchdog',
        // No preloads, no loaders, nothing of the program's environment.
        execArgv: [],
        env: {},
        resourceLimits: LIMITS,
        workerData: { shared, layout: WATCHDOG_LAYOUT, sampler: samplerSource() },
      });
      started.unref();
      started.on('message', on.stall);
      started.on('error', (error) => giveUp(sayThrown(error)));
      started.on('exit', (code) => giveUp(`it ended with code ${code}`));
      return started;
    } catch (error) {
      giveUp(sayThrown(error));
      return undefined;
    }
  }

  return {
    get isGone() {
      return isGone;
    },
    tell(message) {
      if (isGone) return;
      thread ??= start();
      thread?.postMessage(message);
    },
    async stop() {
      isGone = true;
      await thread?.terminate();
    },
  };
}

function onStall(
  { stalledMs, sessions, stack }: ToldStall,
  to: Pick<WatchdogOptions, 'logger' | 'onStalled'> & { readonly replyTo: readonly TakesReply[] },
): void {
  const beats = sessions.reduce((sum, session) => sum + session.beats, 0);
  const problem = sessions.find((session) => session.problem !== undefined)?.problem;
  to.onStalled?.({ stalledMs, beats });
  to.logger.warn(
    {
      stalledMs,
      beats,
      ...(stack === undefined ? {} : { stack }),
      ...(problem === undefined ? {} : { problem }),
    },
    `the event loop was blocked for ${stalledMs} ms; give what blocks it isolation: 'thread', or break it up`,
  );
  for (const { id, replies } of sessions) {
    for (const reply of replies) {
      const parsed = RunnerHeartbeatResponse.safeParse(reply);
      if (parsed.success) to.replyTo[id]?.(parsed.data);
    }
  }
}

/**
 * Makes a watchdog; its thread starts when the first session is connected and keeps no process alive. Where there are
 * no threads, or this one dies, the log says so once and the runner goes on without.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { logger, instanceId, capacity, onStalled } = options;
  const memory = createWatchdogMemory(capacity);
  const replyTo: TakesReply[] = [];
  let pulse: NodeJS.Timeout | undefined;
  let pulseMs = Infinity;

  const thread = createThread(memory.shared, {
    stall: (told) => onStall(told, { logger, onStalled, replyTo }),
    gone(why) {
      clearInterval(pulse);
      const text =
        'the watchdog thread is gone: a handler that blocks the event loop is not covered any more';
      logger.warn({ reason: why }, text);
    },
  });

  /** As often as the quickest session needs it. */
  function pulseFor(intervalMs: number): void {
    const wantedMs = pulseMsOf(intervalMs);
    if (wantedMs >= pulseMs) return;
    pulseMs = wantedMs;
    clearInterval(pulse);
    memory.pulse();
    pulse = setInterval(memory.pulse, pulseMs);
    pulse.unref();
  }

  function update(id: number, beat: StandInBeat): void {
    if (thread.isGone || id >= MAX_WATCHED_SESSIONS) return;
    pulseFor(beat.intervalMs);
    thread.tell({ id, pulseMs, beat: { ...beat, instanceId } });
  }

  return {
    standIn(onReply) {
      const id = replyTo.push(onReply) - 1;
      const beaten = (): void => {
        if (id < MAX_WATCHED_SESSIONS) memory.beaten(id);
      };
      beaten();
      return { update: (beat) => update(id, beat), beaten };
    },
    observer: {
      started(execution) {
        execution.watchSlot = memory.add(execution.request.executionId);
      },
      ended(execution) {
        memory.remove(execution.watchSlot);
        execution.watchSlot = -1;
      },
    },
    async stop() {
      clearInterval(pulse);
      await thread.stop();
    },
  };
}
