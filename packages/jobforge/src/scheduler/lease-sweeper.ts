import { isSilent } from '../model/runner-status.js';
import type { AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import type { Execution, RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';

import type { RunnerRegistry } from './runner-registry.js';

/** Looks at every execution and runner from time to time, so that none of them needs a timer of its own. */
export interface LeaseSweeper {
  start(): void;
  stop(): void;
  /** One round. Resolves when the probes that it started are answered. */
  sweep(): Promise<void>;
}

export interface SweeperParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
}

const MAX_SWEEP_MS = 1_000;
const FIRST_PROBE_MS = 500;

function sweepMs({ limits }: LiveState): number {
  return Math.max(
    10,
    Math.min(MAX_SWEEP_MS, limits.offerMs / 4, limits.leaseMs / 4, limits.heartbeatIntervalMs / 4),
  );
}

function isExpired(execution: Execution, now: number): boolean {
  return execution.leaseUntil <= now;
}

/** Whether an execution whose stream is broken may still be taken up again. */
function isAwaited({ clock, limits }: LiveState, execution: Execution): boolean {
  const now = clock.now();
  // A stream that breaks again and again has no end of its own, beyond that of the execution.
  if (now > execution.deadlineAt) return false;
  // A runner that dials in beats by other ways too: it keeps what it names there until it connects again.
  if (execution.runner.link.confirmsAccepts && !isExpired(execution, now)) return true;
  return now - execution.brokenSince <= limits.leaseMs;
}

function sweepExecution({ state, dispatcher, endings }: SweeperParts, execution: Execution): void {
  const now = state.clock.now();
  const { limits } = state;
  const { phase, offeredAt, brokenSince, cancelledAt, deadlineAt } = execution;
  if (cancelledAt > 0 && now - cancelledAt > 2 * limits.cancelGraceMs)
    return dispatcher.uncooperative(execution);
  if (brokenSince > 0) {
    if (isAwaited(state, execution)) return;
    // It beats, and cannot be reached: nothing more goes there until a probe has.
    execution.runner.vitals.unreachable = true;
    return endings.lost(execution, `${execution.runner.name} did not come back in time.`);
  }
  if (phase === 'accepted' && now > deadlineAt) return dispatcher.overdue(execution);
  if (phase === 'open' && offeredAt > 0 && now - offeredAt > limits.offerMs) dispatcher.withdraw(execution);
}

function needsProbe(state: LiveState, entry: RunnerEntry): boolean {
  const now = state.clock.now();
  if (entry.probing || entry.nextProbeAt > now || (entry.leaving && entry.active === 0)) return false;
  if (entry.vitals.unreachable || entry.vitals.lost || entry.vitals.unheard) return true;
  const beats = { intervalMs: state.limits.heartbeatIntervalMs, missed: state.limits.missedHeartbeats };
  if (isSilent(entry.lastSeenAt, now, beats)) return true;
  for (const execution of entry.executions.values()) if (isExpired(execution, now)) return true;
  return false;
}

async function probe({ state, endings }: SweeperParts, entry: RunnerEntry): Promise<void> {
  const { clock, limits } = state;
  const { link } = entry;
  entry.probing = true;
  const status = await link.probe();
  entry.probing = false;
  // Its link was closed under the probe: the silence is not the runner's.
  if (entry.link !== link || state.closed) return;
  const now = clock.now();
  if (status === undefined) {
    entry.nextProbeAt =
      now + Math.min(FIRST_PROBE_MS * 2 ** Math.min(entry.failures, 10), limits.heartbeatIntervalMs);
    entry.failures += 1;
    const beats = { intervalMs: limits.heartbeatIntervalMs, missed: limits.missedHeartbeats };
    if (!isSilent(entry.lastSeenAt, now, beats) || entry.vitals.lost) return;
    entry.vitals.lost = true;
    state.wake(entry);
    state.log('warn', 'a runner is lost', { runner: entry.name });
    for (const execution of [...entry.executions.values()])
      endings.lost(execution, `${entry.name} sends no beats and its health endpoint does not answer.`);
    return;
  }
  entry.lastSeenAt = now;
  entry.nextProbeAt = now + limits.heartbeatIntervalMs;
  Object.assign(entry.vitals, { lost: false, unheard: false, unreachable: false });
  if (status !== 'alive') entry.vitals.reported = status;
  for (const execution of entry.executions.values()) execution.leaseUntil = now + limits.leaseMs;
  state.wake(entry);
}

function isForgotten(state: LiveState, entry: RunnerEntry): boolean {
  const { leaving, vitals } = entry;
  // What most are, first: all are looked at several times a minute.
  if (!leaving && !vitals.lost) return false;
  if (entry.active > 0 || entry.marks.disabled !== undefined) return false;
  return leaving || state.clock.now() - entry.lastSeenAt > state.limits.forgetOfflineMs;
}

export function createLeaseSweeper(parts: SweeperParts): LeaseSweeper {
  const { state, registry } = parts;
  let cancelTimer: (() => void) | undefined;
  let stopped = false;

  const sweep = async (): Promise<void> => {
    for (const execution of [...state.executions.values()]) {
      if (execution.phase !== 'closed') sweepExecution(parts, execution);
    }
    const probes: Promise<void>[] = [];
    for (const entry of [...registry.entries()]) {
      if (isForgotten(state, entry)) {
        if (!entry.leaving) state.commit.keep({ kind: 'remove-runner', id: entry.id });
        registry.forget(entry);
      } else if (needsProbe(state, entry)) probes.push(probe(parts, entry));
    }
    await Promise.all(probes);
  };

  const round = (): void => {
    if (stopped) return;
    // Whatever changed without a word to the scheduler is seen now at the latest.
    state.wake();
    sweep().catch((error: unknown) => state.log('error', 'a sweep failed', { problem: String(error) }));
    cancelTimer = state.clock.after(sweepMs(state), round);
  };

  return {
    start: round,
    sweep,
    stop() {
      stopped = true;
      cancelTimer?.();
    },
  };
}
