import { Worker } from 'node:worker_threads';
import { RunnerHeartbeatResponse } from '@controlplane/contracts';
import { sayThrown } from '../util/safe-json.js';
import type { Logger } from '../util/logger.js';
import { createWatchdogMemory, WATCHDOG_LAYOUT } from './watchdog-memory.js';
import { WATCHDOG_SOURCE } from './watchdog-source.js';

/** What a heartbeat carries that is not the same each time, and where it goes. */
export interface WatchdogIdentity {
  readonly runnerId: string;
  readonly instanceId: string;
  /** Where heartbeats are posted. */
  readonly url: string;
  /** The `authorization` header; none where the control plane asks for none. */
  readonly authorization?: string | undefined;
  readonly intervalMs: number;
  readonly status: 'healthy' | 'degraded' | 'unhealthy';
  readonly draining: boolean;
}

/** Beats in the stead of a main thread that does not answer. */
export interface Watchdog {
  /** Says what to beat with. The first call starts the thread. */
  update(identity: WatchdogIdentity): void;
  /** The main thread has beaten, and was answered. */
  beaten(): void;
  /** An execution runs: its lease is renewed. */
  add(executionId: string): void;
  remove(executionId: string): void;
  /** Ends the thread. */
  stop(): Promise<void>;
}

/** What a watchdog needs. */
export interface WatchdogOptions {
  readonly logger: Logger;
  /** Executions that may run at once. */
  readonly capacity: number;
  /** What was answered to the watchdog, handed over when the main thread answers again. */
  readonly onReply: (reply: RunnerHeartbeatResponse) => void;
  /** The main thread was blocked for so many milliseconds, and so many heartbeats were sent in its stead. */
  readonly onStalled?: (stall: { readonly stalledMs: number; readonly beats: number }) => void;
}

/** Milliseconds between two signs of life; a main thread that misses two has stalled. */
const PULSE = { minMs: 100, maxMs: 500, perInterval: 20 } as const;

/** It holds one request at a time. In megabytes. */
const LIMITS = { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4, stackSizeMb: 1 } as const;

interface Stall {
  readonly stalledMs: number;
  readonly beats: number;
  readonly replies: readonly unknown[];
  readonly problem?: string;
}

const pulseMsOf = (intervalMs: number): number =>
  Math.min(PULSE.maxMs, Math.max(PULSE.minMs, Math.round(intervalMs / PULSE.perInterval)));

/**
 * Makes a watchdog; its thread starts with the first {@link Watchdog.update} and keeps no process alive. Where there
 * are no threads, or this one dies, the log says so once and the runner goes on without.
 */
export function createWatchdog(options: WatchdogOptions): Watchdog {
  const { logger, capacity, onReply, onStalled } = options;
  const memory = createWatchdogMemory(capacity);
  let thread: Worker | undefined;
  let pulse: NodeJS.Timeout | undefined;
  let pulseMs = 0;
  let isGone = false;

  function giveUp(why: string): void {
    if (isGone) return;
    isGone = true;
    clearInterval(pulse);
    logger.warn(
      { reason: why },
      'the watchdog thread is gone: a handler that blocks the event loop is not covered any more',
    );
  }

  function onStall({ stalledMs, beats, replies, problem }: Stall): void {
    onStalled?.({ stalledMs, beats });
    logger.warn(
      { stalledMs, beats, ...(problem === undefined ? {} : { problem }) },
      `the event loop was blocked for ${stalledMs} ms; give what blocks it isolation: 'thread', or break it up`,
    );
    for (const reply of replies) {
      const parsed = RunnerHeartbeatResponse.safeParse(reply);
      if (parsed.success) onReply(parsed.data);
    }
  }

  function startThread(): Worker | undefined {
    try {
      const started = new Worker(WATCHDOG_SOURCE, {
        eval: true,
        name: 'controlplane-watchdog',
        // No preloads, no loaders, no secrets of the program's environment.
        execArgv: [],
        env: {},
        resourceLimits: LIMITS,
        workerData: { shared: memory.shared, layout: WATCHDOG_LAYOUT },
      });
      started.unref();
      started.on('message', onStall);
      started.on('error', (error) => giveUp(sayThrown(error)));
      started.on('exit', (code) => giveUp(`it ended with code ${code}`));
      return started;
    } catch (error) {
      giveUp(sayThrown(error));
      return undefined;
    }
  }

  function startPulse(everyMs: number): void {
    clearInterval(pulse);
    pulseMs = everyMs;
    memory.pulse();
    pulse = setInterval(memory.pulse, pulseMs);
    pulse.unref();
  }

  return {
    update(identity) {
      if (isGone) return;
      const everyMs = pulseMsOf(identity.intervalMs);
      if (everyMs !== pulseMs) startPulse(everyMs);
      if (!thread) memory.beaten();
      thread ??= startThread();
      thread?.postMessage({ ...identity, pulseMs });
    },
    beaten: memory.beaten,
    add: memory.add,
    remove: memory.remove,
    async stop() {
      isGone = true;
      clearInterval(pulse);
      await thread?.terminate();
    },
  };
}
