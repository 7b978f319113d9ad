import type { ExecutionEvent, RecordEventsRequest } from '@controlplane/contracts';
import { timingSafeEqual } from 'node:crypto';
import type { Denial } from '../links/waiting-frames.js';
import type { AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import type { Execution, RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { Probe } from './probe.js';

/** What a report came to: a denial at once, or the seq up to which it need not be kept, once that is so. */
export type Recorded = { readonly seq: number } | { readonly denial: Denial } | 'later';

/** What runners tell of executions by themselves, over a socket or by requests of their own. */
export interface ExecutionReports {
  /** Claims an execution that was offered; undefined where the claim is confirmed. */
  accept(executionId: string, leaseToken: string | undefined): Denial | undefined;
  /** The execution that a lease token is the right to; why it is not, else. */
  holder(executionId: string, leaseToken: string | undefined): Execution | Denial;
  /** Takes events in. Where the answer is `later`, `acknowledged` is called with it. */
  record(
    report: RecordEventsRequest & { readonly executionId: string },
    acknowledged: (seq: number) => void,
  ): Recorded;
  /** What a runner holds that is no longer its own: why, or what it need not keep. */
  judgeHeld(executionId: string, acknowledged: (seq: number) => void): Recorded;
  /** The connection of a runner that claims its work is lost. */
  broken(runner: RunnerEntry): void;
}

export interface ReportParts {
  readonly state: LiveState;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
}

function isSame(token: string, sent: string | undefined): boolean {
  if (sent === undefined || sent.length !== token.length) return false;
  const [left, right] = [Buffer.from(token), Buffer.from(sent)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** What is to be said of an execution that is over. */
function judgePast(
  state: LiveState,
  executionId: string,
  { holds, acknowledged }: { holds: (token: string) => boolean; acknowledged: (seq: number) => void },
): Recorded {
  const found = state.past.find(executionId);
  if (found === undefined) return { denial: 'EXECUTION_NOT_FOUND' };
  if (!holds(found.token) || found.past.kind === 'superseded') return { denial: 'LEASE_SUPERSEDED' };
  if (found.past.kind === 'settled') return { seq: found.past.seq };
  state.past.whenSettled(executionId, acknowledged);
  return 'later';
}

/** Announcements come by their own way and may overtake the stream: what they bring ahead is not to hide the rest. */
function overtakes(execution: Execution, event: ExecutionEvent): boolean {
  return event.type === 'writing' && !execution.runner.link.confirmsAccepts;
}

function tell({ dispatcher }: ReportParts, execution: Execution, events: readonly ExecutionEvent[]): void {
  const listener = dispatcher.listen(execution);
  const [first] = events;
  // Where the first events were acknowledged by an earlier JobForge they are not told again.
  if (execution.phase === 'open' && first !== undefined && first.seq > 0) {
    const { executionId, at } = first;
    listener.onEvent({ type: 'accepted', executionId, seq: 0, at });
  }
  for (const event of events) {
    if (overtakes(execution, event)) execution.writing = true;
    else listener.onEvent(event);
  }
}

/** What is told of an execution that stands for no job is heard, and kept nowhere. */
function recordProbe(probe: Probe, { leaseToken, events }: RecordEventsRequest): Recorded {
  if (!isSame(probe.token, leaseToken)) return { denial: 'LEASE_SUPERSEDED' };
  for (const event of events) probe.listener.onEvent(event);
  return { seq: events.at(-1)?.seq ?? 0 };
}

export function createExecutionReports(parts: ReportParts): ExecutionReports {
  const { state, endings } = parts;
  const holder: ExecutionReports['holder'] = (executionId, leaseToken) => {
    const execution = state.executions.get(executionId);
    if (execution === undefined)
      return state.past.find(executionId) === undefined ? 'EXECUTION_NOT_FOUND' : 'LEASE_SUPERSEDED';
    return isSame(execution.lease.token, leaseToken) ? execution : 'LEASE_SUPERSEDED';
  };
  return {
    holder,
    accept(executionId, leaseToken) {
      const probe = state.probes.get(executionId);
      if (probe !== undefined) return isSame(probe.token, leaseToken) ? undefined : 'LEASE_SUPERSEDED';
      const execution = holder(executionId, leaseToken);
      if (typeof execution === 'string') return execution;
      const at = new Date(state.clock.now()).toISOString();
      parts.dispatcher.listen(execution).onEvent({ type: 'accepted', executionId, seq: 0, at });
      return undefined;
    },
    record({ executionId, leaseToken, events }, acknowledged) {
      const probe = state.probes.get(executionId);
      if (probe !== undefined) return recordProbe(probe, { leaseToken, events });
      const execution = state.executions.get(executionId);
      const holds = (token: string): boolean => isSame(token, leaseToken);
      if (execution === undefined) return judgePast(state, executionId, { holds, acknowledged });
      if (!holds(execution.lease.token)) return { denial: 'LEASE_SUPERSEDED' };
      tell(parts, execution, events);
      if (execution.phase === 'closed') return judgePast(state, executionId, { holds, acknowledged });
      const seq = events.at(-1)?.seq ?? 0;
      if (!events.some(({ type }) => type === 'checkpoint')) return { seq };
      state.commit.passed(() => acknowledged(seq));
      return 'later';
    },
    judgeHeld: (executionId, acknowledged) =>
      judgePast(state, executionId, { holds: () => true, acknowledged }),
    broken(runner) {
      const now = state.clock.now();
      for (const execution of [...runner.executions.values()]) {
        runner.link.forget(execution.lease.executionId);
        // What was not claimed has not begun.
        if (execution.phase === 'open' && !execution.recovered) endings.putBack(execution);
        else if (execution.brokenSince === 0) execution.brokenSince = now;
      }
    },
  };
}
