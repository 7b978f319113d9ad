import type { LinkRegistry } from '../links/link-registry.js';
import type { StandingEnd } from '../model/runner-standing.js';
import type { AttemptEndings } from './attempt-endings.js';
import { isDialIn } from './runner-entry.js';
import type { RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import type { RunnerRegistry } from './runner-registry.js';

/** Looks from time to time whether what each runner proved itself with is good still, and cuts off those that may not stay. */
export interface AccessWatch {
  start(): void;
  stop(): void;
  /** Looks now: after something was revoked. */
  look(): void;
}

export interface AccessWatchParts {
  readonly state: LiveState;
  readonly registry: Pick<RunnerRegistry, 'entries'>;
  readonly links: LinkRegistry;
  readonly endings: AttemptEndings;
}

const LOOK_MS = 1_000;

/** Has a runner register anew, with whatever it has got since. */
function askToRenew({ state, links }: AccessWatchParts, entry: RunnerEntry): void {
  if (entry.askedToRenewAt !== 0) return;
  entry.askedToRenewAt = state.clock.now();
  // A connection proves who it is when it is made; a registration over requests does so by itself.
  const session = links.session(entry.link);
  const overSocket = entry.registration.delivery?.kind === 'websocket';
  if (overSocket) session?.instruct({ kind: 'reconnect', afterMs: 0 });
  else entry.distrusted = true;
}

function cutOff(
  { state, links, endings }: AccessWatchParts,
  entry: RunnerEntry,
  { error }: StandingEnd,
): void {
  entry.barred = true;
  state.log('warn', 'a runner may not stay', { runner: entry.name, code: error.envelope.code });
  links.session(entry.link)?.refuse(error.envelope);
  for (const execution of [...entry.executions.values()]) {
    const { executionId, token } = execution.lease;
    // Whoever dialled in is not there to be told any more.
    if (!isDialIn(entry.registration))
      entry.link.cancel(executionId, { reason: 'lease-lost', leaseToken: token });
    endings.lost(execution, `${entry.name} may not stay: ${error.message}`);
  }
}

function judge(parts: AccessWatchParts, entry: RunnerEntry): void {
  const { standing, barred, askedToRenewAt } = entry;
  if (standing === undefined || barred || entry.leaving) return;
  const { clock, limits } = parts.state;
  const end = standing.end();
  if (end === undefined) {
    if (standing.isToRenew()) askToRenew(parts, entry);
    return;
  }
  const isAsked = askedToRenewAt !== 0;
  if (end.mayRenew && !(isAsked && clock.now() - askedToRenewAt > limits.leaseMs))
    return askToRenew(parts, entry);
  cutOff(parts, entry, end);
}

export function createAccessWatch(parts: AccessWatchParts): AccessWatch {
  const { clock } = parts.state;
  let stopTimer: (() => void) | undefined;
  let stopped = false;
  const look = (): void => {
    for (const entry of [...parts.registry.entries()]) judge(parts, entry);
  };
  const round = (): void => {
    if (stopped) return;
    look();
    stopTimer = clock.after(LOOK_MS, round);
  };
  return {
    start: round,
    look,
    stop() {
      stopped = true;
      stopTimer?.();
    },
  };
}
