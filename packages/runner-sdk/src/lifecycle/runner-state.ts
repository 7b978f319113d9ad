/**
 * @module
 * When: options, the states of a runner, the loops that keep it known, signals, and the one place that joins
 * the work side with the wire side. May import every other room.
 */

/**
 * Where a runner is in its life.
 *
 * - `created` made, not started
 * - `registering` serves, and is not known to the control plane (yet, or any more)
 * - `registered` known to the control plane
 * - `refused` serves, but the control plane refused it for good
 * - `draining` finishes what runs, accepts nothing
 * - `stopped` serves nothing any more
 */
export type RunnerState = 'created' | 'registering' | 'registered' | 'refused' | 'draining' | 'stopped';

const TRANSITIONS: Readonly<Record<RunnerState, readonly RunnerState[]>> = {
  created: ['registering', 'draining'],
  registering: ['registered', 'refused', 'draining'],
  registered: ['registering', 'refused', 'draining'],
  refused: ['draining'],
  draining: ['stopped'],
  stopped: [],
};

/** The state of one runner. */
export interface RunnerStateHolder {
  readonly current: RunnerState;
  /** Moves on where the table allows it; elsewhere nothing happens. */
  moveTo(next: RunnerState): boolean;
}

/** Makes the state of a runner that was just made. */
export function createRunnerState(): RunnerStateHolder {
  let current: RunnerState = 'created';
  return {
    get current() {
      return current;
    },
    moveTo(next) {
      if (!TRANSITIONS[current].includes(next)) return false;
      current = next;
      return true;
    },
  };
}
