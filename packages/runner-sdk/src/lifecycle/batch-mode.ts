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
  /** How many executions may still be begun; undefined where any number may. */
  readonly left: (() => number) | undefined;
  start(): void;
  stop(): void;
}

/**
 * Counts executions up to a number of them.
 * @param onReached - called when so many are this runner's, in the turn of the event loop in which they are
 */
function createJobCount(maxJobs: number, onReached: () => void) {
  /** Those that are not confirmed included: no more are ever begun. */
  let begun = 0;
  /** Those that are this runner's for sure. */
  let own = 0;
  function confirmed(): void {
    own++;
    if (own < maxJobs) return;
    queueMicrotask(() => {
      if (own >= maxJobs) onReached();
    });
  }
  const observer: Pick<ExecutionObserver, 'started' | 'ended'> = {
    started({ claim }) {
      begun++;
      if (!claim) confirmed();
    },
    ended({ claim }, event) {
      if (event !== undefined) {
        if (claim) confirmed();
        return;
      }
      // It was never this runner's.
      begun--;
      if (!claim) own--;
    },
  };
  return { ...observer, confirmed, left: () => maxJobs - begun };
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

  const jobs =
    maxJobs === undefined ? undefined : createJobCount(maxJobs, () => end(`ran ${maxJobs} jobs`, true));

  return {
    left: jobs?.left,
    observer: {
      started(execution) {
        running++;
        idleTimer = forget(idleTimer);
        jobs?.started(execution);
      },
      confirmed: () => jobs?.confirmed(),
      ended(execution, event) {
        running--;
        jobs?.ended(execution, event);
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
