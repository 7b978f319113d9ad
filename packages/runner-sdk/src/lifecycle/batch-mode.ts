import type { ExecutionObserver } from '../execution/execution-observer.js';
import type { Clock, TimerHandle } from '../util/clock.js';

/** When a runner that is not meant to run for ever has done its part; times in milliseconds. */
export interface BatchLimits {
  /** Executions that it runs. */
  readonly maxJobs: number | undefined;
  /** Time for which nothing has run. */
  readonly idleTimeoutMs: number | undefined;
  /** Time since it was started. */
  readonly maxUptimeMs: number | undefined;
}

/** Why a runner has done its part. */
export interface BatchEnd {
  /** Told to the control plane. */
  readonly reason: string;
  /** Whether what runs may take as long as it likes. */
  readonly isPatient: boolean;
}

/** Watches over the limits of a runner. */
export interface BatchMode {
  readonly observer: ExecutionObserver;
  start(): void;
  stop(): void;
}

/**
 * Makes the watch.
 * @param limits - none set: nothing is ever watched for
 * @param clock - where time comes from
 * @param onEnd - called once, when the first limit is reached
 */
export function createBatchMode(
  limits: BatchLimits,
  clock: Clock,
  onEnd: (end: BatchEnd) => void,
): BatchMode {
  const { maxJobs, idleTimeoutMs, maxUptimeMs } = limits;
  let begun = 0;
  let running = 0;
  let isOver = false;
  let idleTimer: TimerHandle | undefined;
  let uptimeTimer: TimerHandle | undefined;

  const forget = (timer: TimerHandle | undefined): undefined => {
    if (timer !== undefined) clock.clearTimeout(timer);
    return undefined;
  };
  function stop(): void {
    idleTimer = forget(idleTimer);
    uptimeTimer = forget(uptimeTimer);
  }
  function end(reason: string, isPatient: boolean): void {
    if (isOver) return;
    isOver = true;
    stop();
    onEnd({ reason, isPatient });
  }
  function waitIdle(): void {
    if (idleTimeoutMs === undefined || isOver || running > 0) return;
    idleTimer = forget(idleTimer);
    idleTimer = clock.setTimeout(() => end(`idle for ${idleTimeoutMs} ms`, true), idleTimeoutMs);
  }

  return {
    observer: {
      started() {
        begun++;
        running++;
        idleTimer = forget(idleTimer);
        // What is offered from now on is refused: no more than these are ever begun.
        if (maxJobs !== undefined && begun >= maxJobs) queueMicrotask(() => end(`ran ${maxJobs} jobs`, true));
      },
      ended(_execution, event) {
        running--;
        // It was never this runner's.
        if (event === undefined) begun--;
        waitIdle();
      },
    },
    start() {
      waitIdle();
      if (maxUptimeMs === undefined) return;
      uptimeTimer = clock.setTimeout(() => end(`ran for ${maxUptimeMs} ms`, false), maxUptimeMs);
    },
    stop,
  };
}
