import type { RunnerRegistrationRequest } from '@controlplane/contracts';
import type { RunnerLink } from '../links/runner-link.js';
import { leaseToText } from '../model/lease.js';
import type { AttemptEndings } from './attempt-endings.js';
import type { Dispatcher } from './dispatcher.js';
import type { Execution, RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';

export interface HoldingsParts {
  readonly state: LiveState;
  readonly dispatcher: Dispatcher;
  readonly endings: AttemptEndings;
}

/** A runner that registers anew: as what it was known, as what it comes, and the link that it had, where it gets another. */
export interface Return {
  readonly before: RunnerRegistrationRequest;
  readonly after: RunnerRegistrationRequest;
  readonly replaced: RunnerLink | undefined;
  /** What it says that it still has; undefined where it says nothing of that. */
  readonly held: ReadonlySet<string> | undefined;
}

/** What becomes of an execution when its runner registers anew. */
type Fate =
  /** It goes on as it is. */
  | 'untouched'
  /** The runner has it, or may have: it is asked for it again. */
  | 'resumed'
  /** It cannot have begun. */
  | 'put-back'
  | 'lost';

/** Of an execution that the runner says it has. */
function fateOfHeld({ runner }: Execution, { streams }: Terms): Fate {
  return streams || !runner.link.canReattach ? 'untouched' : 'resumed';
}

/** Of an execution whose process is the same, which says nothing of what it has. */
function fateUnsaid({ brokenSince, lease, runner }: Execution, { relinked, claimed }: Terms): Fate {
  if (!relinked && (!claimed || brokenSince === 0)) return 'untouched';
  return runner.link.canReattach && lease.instanceId !== undefined ? 'resumed' : 'lost';
}

/** Of an execution that the runner does not have. */
function fateOfMissing({ phase, recovered, seenSeq, writing }: Execution, terms: Terms): Fate {
  if (!terms.claimed) return 'lost';
  if (phase === 'open' && !recovered) return 'put-back';
  // A process keeps what it has begun until that is acknowledged: what it does not have, it never began.
  return terms.sameProcess && seenSeq < 0 && !writing ? 'put-back' : 'lost';
}

/** How a runner comes back. */
interface Terms {
  readonly sameProcess: boolean;
  readonly relinked: boolean;
  /** It claimed its executions before it began them. */
  readonly claimed: boolean;
  /** The stream of an execution stands as it stood. */
  readonly streams: boolean;
}

function fateOf(execution: Execution, { before, after, replaced, held }: Return): Fate {
  const sameProcess = before.instanceId === after.instanceId;
  const relinked = replaced !== undefined;
  const claimed = (replaced ?? execution.runner.link).confirmsAccepts;
  const terms: Terms = { sameProcess, relinked, claimed, streams: sameProcess && !relinked && !claimed };
  if (held?.has(execution.lease.executionId)) return fateOfHeld(execution, terms);
  if (sameProcess && (held === undefined || !claimed)) return fateUnsaid(execution, terms);
  return fateOfMissing(execution, terms);
}

/** Asks a runner for an execution that it has. */
function resume({ state, dispatcher }: HoldingsParts, execution: Execution, { before, after }: Return): void {
  const { job } = execution;
  if (before.instanceId !== after.instanceId) {
    execution.lease = { ...execution.lease, instanceId: after.instanceId };
    state.commit.keep({ kind: 'lease-job', seq: job.seq, lease: leaseToText(execution.lease) });
  }
  const now = state.clock.now();
  if (execution.recovered && execution.runner.link.confirmsAccepts) {
    const { executionId } = execution.lease;
    const at = new Date(now).toISOString();
    dispatcher.listen(execution).onEvent({ type: 'accepted', executionId, seq: 0, at });
  }
  execution.brokenSince = execution.runner.link.confirmsAccepts ? 0 : now;
  execution.leaseUntil = now + state.limits.leaseMs;
  dispatcher.send(execution);
}

/** Settles what becomes of a runner's executions when it registers anew. Its link is the one that it has from now on. */
export function settleHoldings(parts: HoldingsParts, entry: RunnerEntry, comeback: Return): void {
  const { endings } = parts;
  for (const execution of [...entry.executions.values()]) {
    const fate = fateOf(execution, comeback);
    if (fate === 'untouched') continue;
    comeback.replaced?.forget(execution.lease.executionId);
    if (fate === 'resumed') resume(parts, execution, comeback);
    else if (fate === 'put-back') endings.putBack(execution);
    else endings.lost(execution, `${entry.name} was started anew.`);
  }
  entry.link.flush();
}

/**
 * Settles what becomes of a runner's executions that has said that it leaves: it does not come back for them. What
 * it is told over a stream that stands it may finish.
 */
export function settleDeparture({ endings }: HoldingsParts, entry: RunnerEntry): void {
  for (const execution of [...entry.executions.values()])
    if (entry.link.confirmsAccepts || execution.brokenSince > 0)
      endings.lost(execution, `${entry.name} has left without ending it.`);
}
