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

/** How a runner comes to its end. */
export interface EndOptions extends StopOptions {
  /** What runs may take as long as it likes, and is not told; until somebody ends the runner who has not the time. */
  readonly isPatient?: boolean | undefined;
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

/** Makes the way down of a runner, taken at most once: who asks for it again can make it shorter. */
export function createShutdown(options: ShutdownOptions): {
  readonly stop: (endOptions?: EndOptions) => Promise<void>;
} {
  const { state, executor, sessions, logger } = options;
  let stopping: Promise<void> | undefined;

  function drain({ isPatient = false, drainMs: givenMs = options.drainMs }: EndOptions): Promise<void> {
    const running = executor.running().length;
    const drainMs = isPatient ? undefined : givenMs;
    logger.info(
      { running, drainMs },
      running === 0 ? 'stopping' : 'draining: waiting for running executions',
    );
    return executor.drain({ drainMs, graceMs: SHUTDOWN_GRACE_MS });
  }

  async function goDown(endOptions: EndOptions): Promise<void> {
    const { reason = 'stopped' } = endOptions;
    state.moveTo('draining');
    // The executor refuses what is new from here on, so that both can go on at once.
    const drained = drain(endOptions);
    await sessions.announceDrain();
    await drained;
    await sessions.leave(reason);
    for (const release of [...options.releases].reverse()) await release();
    state.moveTo('stopped');
    logger.info('stopped');
  }

  return {
    stop(endOptions = {}) {
      if (!stopping) return (stopping = goDown(endOptions));
      if (executor.running().length > 0) void drain(endOptions);
      return stopping;
    },
  };
}
