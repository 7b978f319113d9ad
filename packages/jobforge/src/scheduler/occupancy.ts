import type { Execution } from './live-job.js';
import type { LiveState } from './live-state.js';
import { freeSlot, occupySlot } from './runner-entry.js';

/** Counts an execution wherever it takes up room: its runner, its affinity key, its concurrency key. */
export function occupy({ affinity, concurrency }: LiveState, execution: Execution): void {
  occupySlot(execution);
  affinity.enter(execution);
  concurrency.enter(execution.job);
}

/** Gives the room back; doing it twice changes nothing. */
export function vacate(state: LiveState, execution: Execution): void {
  if (!freeSlot(execution)) return;
  state.affinity.exit(execution);
  state.concurrency.exit(execution.job);
  state.wake(execution.runner);
}
