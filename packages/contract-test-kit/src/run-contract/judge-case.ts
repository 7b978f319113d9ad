import { setMaxListeners } from 'node:events';
import type { Case, CaseContext, JudgedRunner, StartOptions, Subject } from '../case/case.js';
import { Mismatch, NotApplicable, NotEvaluable, type Finding } from '../case/verdict.js';
import { sessionViolations } from '../case/session-rules.js';
import { WIRE_RULES } from '../case/wire-rules.js';
import { within } from '../case/wait.js';
import { NoAnswer, type Exchange, type WireRequest } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import type { ClientOptions } from '../harness/runner-client.js';
import { createSessionClient } from '../harness/session-client.js';
import { openSession, type RunnerSession } from '../harness/runner-session.js';
import { TargetUnreachable } from '../harness/target-unreachable.js';
import { chooseSubjects } from '../inputs/choose-subjects.js';
import type { Requirement } from '../requirements/requirement.js';
import type { DeliveryKind } from '../target/delivery.js';
import { isStarted, type RunnerTarget } from '../target/target.js';
import type { ResolvedRunOptions } from './options.js';
import type { SharedRunner } from './shared-runner.js';

/** How a case ended, before its level is looked at. */
export type Outcome =
  | { readonly kind: 'kept' }
  | { readonly kind: 'broken'; readonly finding: Finding }
  | { readonly kind: 'not-applicable' | 'not-evaluable' | 'kit-fault'; readonly reason: string };

export interface JudgedCase {
  readonly requirement: Requirement;
  readonly outcome: Outcome;
  readonly durationMs: number;
  /** The shared runner ended meanwhile: maybe by the fault of another case. */
  readonly runnerEnded: boolean;
}

/** What all cases of a run share. */
export interface Bench {
  readonly target: RunnerTarget;
  readonly runner: SharedRunner;
  readonly options: ResolvedRunOptions;
  /** What runners are told to be reached by; undefined leaves it to them. */
  readonly delivery: DeliveryKind | undefined;
  /** A rule of the wire was broken in some case. */
  readonly onViolation: (requirementId: string, finding: Finding) => void;
}

/** Why a requirement does not concern this runner, by what it declares and how it is run. */
function notConcerned(requirement: Requirement, { runner, target }: Bench): string | undefined {
  const { needs, feature, deliveries } = requirement;
  if (needs === 'control-plane-url') return 'is about a control plane: --control-plane';
  const { first: session } = runner;
  if (!deliveries.includes(session.delivery))
    return `is about ${deliveries.join(' and ')}; the runner is reached by ${session.delivery}`;
  if (needs === 'process' && !isStarted(target)) return 'needs --command or --image';
  if (needs === 'control-plane' && !session.controlPlane)
    return 'needs --command or --image, or --url with --control-plane-port';
  // Features are of push: over a link there is no other way.
  if (feature && session.delivery === 'push' && !session.description.features.includes(feature))
    return `the runner does not declare the feature ${feature}`;
  return undefined;
}

interface CaseScope {
  readonly signal: AbortSignal;
  /** Takes a runner of the case's own, to be closed and looked at when the case ends. */
  readonly onSession: (session: RunnerSession) => void;
  /** Does something that has a limit of its own: the case's time stands still, and begins anew after it. */
  readonly offTheClock: <T>(deed: () => Promise<T>) => Promise<T>;
}

function createContext(bench: Bench, session: RunnerSession, scope: CaseScope): CaseContext {
  const { options, target } = bench;
  const onExchange: ClientOptions['onExchange'] = (exchange) => {
    for (const rule of Object.values(WIRE_RULES)) {
      const finding = rule.check(exchange);
      if (finding) bench.onViolation(rule.id, finding);
    }
  };
  const judged = (of: RunnerSession): JudgedRunner => ({
    ...of,
    client: createSessionClient(of, { signal: scope.signal, onExchange }),
  });
  const subjects = (): readonly Subject[] => chooseSubjects(session.description, options);
  return {
    runner: judged(session),
    signal: scope.signal,
    seed: options.seed,
    subjects,
    subject: () => {
      const [first] = subjects();
      if (!first) throw new NotEvaluable('the runner declares no capability');
      return first;
    },
    fixture: (id) => {
      const capability = session.description.capabilities.find((candidate) => candidate.id === id);
      if (!capability) throw new NotEvaluable(`the runner does not offer the fixture capability ${id}`);
      return capability;
    },
    startRunner: async (start: StartOptions = {}) => {
      if (!isStarted(target)) throw new NotApplicable('needs --command or --image');
      const own = await scope.offTheClock(() =>
        openSession({
          target,
          environment: options.environment,
          startTimeoutMs: options.startTimeoutMs,
          delivery: bench.delivery,
          // A runner that has never registered is not waited for each time anew.
          awaitRegistration: (bench.runner.first.controlPlane?.of('register').length ?? 0) > 0,
          ...start,
        }),
      );
      scope.onSession(own);
      return judged(own);
    },
  };
}

/** An exchange that never came about. */
const unanswered = (request: WireRequest): Exchange => ({
  request,
  status: 0,
  headers: {},
  text: '',
  json: undefined,
  lines: [],
  durationMs: 0,
  cut: true,
});

const oneLine = (text: string): string => text.trim().replaceAll(/\s*\n\s*/g, ' ⏎ ');

/** How a case ended that threw. */
export function outcomeOf(error: unknown): Outcome {
  if (error instanceof Mismatch) return { kind: 'broken', finding: error.finding };
  if (error instanceof NotApplicable) return { kind: 'not-applicable', reason: error.message };
  if (error instanceof NotEvaluable) return { kind: 'not-evaluable', reason: error.message };
  if (error instanceof NoAnswer) {
    return {
      kind: 'broken',
      finding: { expected: 'an answer', actual: error.reason, exchange: unanswered(error.request) },
    };
  }
  if (error instanceof TargetUnreachable) {
    const sent = 'the start of the runner';
    return {
      kind: 'broken',
      finding: { sent, expected: 'a runner that answers', actual: oneLine(error.message) },
    };
  }
  return {
    kind: 'kit-fault',
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

/** How long a runner that broke a connection may take to be seen as ended. */
const END_WAIT_MS = 500;
/** Characters of its last words that a finding quotes. */
const LAST_WORDS = 600;

/** What no answer is due to: says so when the shared runner has ended. */
async function blameEnd(
  outcome: Outcome,
  session: RunnerSession | undefined,
): Promise<Outcome & { runnerEnded?: boolean }> {
  if (outcome.kind !== 'broken' || outcome.finding.exchange?.status !== 0 || !session?.process)
    return outcome;
  const end = await within(session.process.ended, { ms: END_WAIT_MS, signal: new AbortController().signal });
  if (!end) return outcome;
  const words = oneLine(session.process.output().slice(-LAST_WORDS));
  const actual = `${outcome.finding.actual}; the runner had ended (${end.signal ?? `code ${end.code}`}): ${words || 'it wrote nothing'}`;
  return { kind: 'broken', finding: { ...outcome.finding, actual }, runnerEnded: true };
}

/** What a case may take to end once its time is up. */
const STUCK_MS = 5_000;

/** A case that goes on when its time is up is a fault of the kit: it would hold up the whole run. */
async function failWhenStuck(expired: AbortSignal, settled: AbortSignal): Promise<void> {
  await pause(2_147_483_647, AbortSignal.any([expired, settled]));
  await pause(STUCK_MS, settled);
  if (!settled.aborted) throw new Error(`the case did not end within ${STUCK_MS} ms after its time was up`);
}

/** What the lives of runners show beside what the case has looked at: rules that they broke, faults of the kit. */
function lookBack(sessions: readonly RunnerSession[], { onViolation }: Bench): void {
  for (const session of sessions) {
    for (const { id, finding } of sessionViolations(session)) onViolation(id, finding);
    // What the control plane of the kit did wrong is no runner's fault.
    const [fault] = session.controlPlane?.faults ?? [];
    if (fault) throw fault;
  }
}

async function judgeInTime(item: Case, bench: Bench, session: RunnerSession): Promise<void> {
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const startClock = (): NodeJS.Timeout =>
    setTimeout(() => controller.abort(), Math.max(bench.options.timeoutMs, (item.leastMs ?? 0) * 2));
  let timer = startClock();
  const own: RunnerSession[] = [];
  const scope: CaseScope = {
    signal,
    onSession: (started) => own.push(started),
    offTheClock: async (deed) => {
      clearTimeout(timer);
      try {
        return await deed();
      } finally {
        timer = startClock();
      }
    },
  };
  const settled = new AbortController();
  try {
    const judging = Promise.resolve(item.judge(createContext(bench, session, scope)));
    await Promise.race([judging, failWhenStuck(signal, settled.signal)]);
  } finally {
    clearTimeout(timer);
    settled.abort();
    controller.abort();
    await Promise.all(own.map((started) => started.close()));
    lookBack([...own, session], bench);
  }
}

/** Judges one requirement. Never throws. */
export async function judgeCase(item: Case, requirement: Requirement, bench: Bench): Promise<JudgedCase> {
  const startedAt = performance.now();
  const ended = ({ runnerEnded = false, ...outcome }: Outcome & { runnerEnded?: boolean }): JudgedCase => ({
    requirement,
    outcome,
    durationMs: performance.now() - startedAt,
    runnerEnded,
  });
  const reason = notConcerned(requirement, bench);
  if (reason !== undefined) return ended({ kind: 'not-applicable', reason });
  let session: RunnerSession | undefined;
  try {
    session = await bench.runner.session();
    await judgeInTime(item, bench, session);
    return ended({ kind: 'kept' });
  } catch (error) {
    return ended(await blameEnd(outcomeOf(error), requirement.needs === 'process' ? undefined : session));
  }
}
