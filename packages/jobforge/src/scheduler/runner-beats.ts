import type { Directive, RunnerHeartbeat, RunnerHeartbeatResponse } from '@controlplane/contracts';
import type { RunnerVitals } from '../model/runner-status.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { isSameInstance } from './runner-entry.js';

/** Whether a beat may make room where there was none. */
function improves(vitals: RunnerVitals, { status }: RunnerHeartbeat): boolean {
  const { lost, unheard, draining, stalledMs, reported } = vitals;
  return lost || unheard || draining || stalledMs > 0 || reported !== status;
}

function onBeat(state: LiveState, entry: RunnerEntry, beat: RunnerHeartbeat): void {
  const now = state.clock.now();
  entry.lastSeenAt = now;
  const { vitals } = entry;
  const improved = improves(vitals, beat);
  const { draining = false, stalledMs = 0 } = beat;
  Object.assign(vitals, { lost: false, unheard: false, reported: beat.status, draining, stalledMs });
  const leaseUntil = now + state.limits.leaseMs;
  if (beat.executions === undefined)
    for (const execution of entry.executions.values()) execution.leaseUntil = leaseUntil;
  for (const id of beat.executions ?? []) {
    const execution = entry.executions.get(id);
    if (execution !== undefined) execution.leaseUntil = leaseUntil;
  }
  if (improved || draining) state.wake(entry);
}

/** Tells a runner to stop what it runs in vain: executions that are cancelled, and those that are no longer its own. */
function directivesFor(state: LiveState, entry: RunnerEntry, beat: RunnerHeartbeat): Directive[] {
  const anew: Directive[] = entry.distrusted ? [{ kind: 'register' }] : [];
  const cancels = (beat.executions ?? []).flatMap((executionId): Directive[] => {
    const execution = entry.executions.get(executionId);
    if (execution === undefined)
      return state.stopping || state.probes.has(executionId)
        ? []
        : [{ kind: 'cancel', executionId, reason: 'lease-lost' }];
    const { cancel } = execution.job;
    return cancel === undefined ? [] : [{ kind: 'cancel', executionId, reason: cancel }];
  });
  const leave: Directive[] = entry.marks.drain !== undefined && !beat.draining ? [{ kind: 'drain' }] : [];
  return [...anew, ...cancels, ...leave];
}

/** Takes a beat in and answers it. A runner that is not known, or another process than the one that is, must register. */
export function answerBeat(
  state: LiveState,
  entry: RunnerEntry | undefined,
  beat: RunnerHeartbeat,
): RunnerHeartbeatResponse {
  const foreign =
    beat.instanceId !== undefined && entry !== undefined && !isSameInstance(entry, beat.instanceId);
  if (entry === undefined || foreign || entry.leaving) {
    return { known: false, receiving: false, directives: [{ kind: 'register' }] };
  }
  onBeat(state, entry, beat);
  const receiving =
    !entry.vitals.draining && entry.marks.drain === undefined && !state.stopping && entry.connected;
  const { heartbeatIntervalMs } = state.limits;
  const sessionCredential = entry.standing?.slide();
  return {
    known: true,
    receiving,
    directives: directivesFor(state, entry, beat),
    heartbeatIntervalMs,
    ...(sessionCredential && { sessionCredential }),
  };
}
