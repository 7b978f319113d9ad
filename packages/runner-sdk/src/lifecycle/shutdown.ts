import type { Executor } from '../execution/executor.js';
import type { Logger } from '../util/logger.js';
import type { HostSessions } from './host-sessions.js';
import type { RunnerStateHolder } from './runner-state.js';

/** How a runner is stopped. */
export interface StopOptions {
  /** Told to the control plane. Default: `stopped`. */
  readonly reason?: string | undefined;
  /** Milliseconds that running executions get to finish in. Default: the runner's option. */
  readonly drainMs?: number | undefined;
}

/** Milliseconds between telling what is left to stop and giving it up; with the drain it stays below 30 s. */
const SHUTDOWN_GRACE_MS = 2_000;

/** What a shutdown takes down. */
export interface ShutdownOptions {
  readonly state: RunnerStateHolder;
  readonly executor: Pick<Executor, 'drain' | 'running'>;
  readonly sessions: Pick<HostSessions, 'announceDrain' | 'leave'>;
  readonly logger: Logger;
  readonly drainMs: number;
  /** What was started, in order; released in reverse. */
  readonly releases: ReadonlyArray<() => Promise<void> | void>;
}

/** Makes the way down of a runner, taken at most once. */
export function createShutdown(options: ShutdownOptions): {
  readonly stop: (stopOptions?: StopOptions) => Promise<void>;
} {
  const { state, executor, sessions, logger } = options;
  let stopping: Promise<void> | undefined;

  async function goDown({ reason = 'stopped', drainMs = options.drainMs }: StopOptions): Promise<void> {
    state.moveTo('draining');
    const running = executor.running().length;
    logger.info(
      { running, drainMs },
      running === 0 ? 'stopping' : 'draining: waiting for running executions',
    );
    // The executor refuses what is new from here on, so that both can go on at once.
    const drained = executor.drain({ drainMs, graceMs: SHUTDOWN_GRACE_MS });
    await sessions.announceDrain();
    await drained;
    await sessions.leave(reason);
    for (const release of [...options.releases].reverse()) await release();
    state.moveTo('stopped');
    logger.info('stopped');
  }

  return { stop: (stopOptions = {}) => (stopping ??= goDown(stopOptions)) };
}
