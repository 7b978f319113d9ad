import { setMaxListeners } from 'node:events';
import type { Case, CaseContext, JudgedRunner, StartOptions, Subject } from '../case/case.js';
import { Mismatch, NotApplicable, NotEvaluable, type Finding } from '../case/verdict.js';
import { WIRE_RULES } from '../case/wire-rules.js';
import { NoAnswer } from '../harness/exchange.js';
import { pause } from '../harness/pause.js';
import { createRunnerClient } from '../harness/runner-client.js';
import { openSession, TargetUnreachable, type RunnerSession } from '../harness/runner-session.js';
import { chooseSubjects } from '../inputs/choose-subjects.js';
import type { Requirement } from '../requirements/requirement.js';
import type { Target } from '../target/target.js';
import type { ResolvedRunOptions } from './options.js';

/** How a case ended, before its level is looked at. */
export type Outcome =
  | { readonly kind: 'kept' }
  | { readonly kind: 'broken'; readonly finding: Finding }
  | { readonly kind: 'not-applicable' | 'not-evaluable' | 'kit-fault'; readonly reason: string };

export interface JudgedCase {
  readonly requirement: Requirement;
  readonly outcome: Outcome;
  readonly durationMs: number;
}

/** What all cases of a run share. */
export interface Bench {
  readonly target: Target;
  readonly session: RunnerSession;
  readonly options: ResolvedRunOptions;
  /** A rule of the wire was broken in some case. */
  readonly onViolation: (requirementId: string, finding: Finding) => void;
}

/** Why a requirement does not concern this runner, by what it declares and how it is run. */
function notConcerned({ needs, feature }: Requirement, { session, target }: Bench): string | undefined {
  if (needs === 'process' && target.kind !== 'command') return 'needs --command';
  if (needs === 'control-plane' && !session.controlPlane)
    return 'needs --command, or --url with --control-plane-port';
  if (feature && !session.description.features.includes(feature))
    return `the runner does not declare the feature ${feature}`;
  return undefined;
}

interface CaseScope {
  readonly signal: AbortSignal;
  readonly onClose: (close: () => Promise<void>) => void;
  /** The case's time begins anew: the start of a runner has a limit of its own. */
  readonly restartClock: () => void;
}

function createContext(bench: Bench, scope: CaseScope): CaseContext {
  const { session, options, target } = bench;
  const onExchange: Parameters<typeof createRunnerClient>[0]['onExchange'] = (exchange) => {
    for (const rule of Object.values(WIRE_RULES)) {
      const finding = rule.check(exchange);
      if (finding) bench.onViolation(rule.id, finding);
    }
  };
  const judged = (of: RunnerSession): JudgedRunner => ({
    ...of,
    client: createRunnerClient({ urls: of.urls, signal: scope.signal, onExchange }),
  });
  const subjects = (): readonly Subject[] => chooseSubjects(session.description, options);
  return {
    runner: judged(session),
    signal: scope.signal,
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
      if (target.kind !== 'command') throw new NotApplicable('needs --command');
      const own = await openSession({
        target,
        environment: options.environment,
        startTimeoutMs: options.startTimeoutMs,
        ...start,
      });
      scope.onClose(() => own.close());
      scope.restartClock();
      return judged(own);
    },
  };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof Mismatch) return { kind: 'broken', finding: error.finding };
  if (error instanceof NotApplicable) return { kind: 'not-applicable', reason: error.message };
  if (error instanceof NotEvaluable) return { kind: 'not-evaluable', reason: error.message };
  if (error instanceof NoAnswer) {
    const { request, reason } = error;
    return {
      kind: 'broken',
      finding: {
        expected: 'an answer',
        actual: reason,
        exchange: {
          request,
          status: 0,
          headers: {},
          text: '',
          json: undefined,
          lines: [],
          durationMs: 0,
          cut: true,
        },
      },
    };
  }
  if (error instanceof TargetUnreachable)
    return {
      kind: 'broken',
      finding: {
        sent: 'the start of the runner',
        expected: 'a runner that answers',
        actual: error.message.replaceAll(/\s*\n\s*/g, ' ⏎ '),
      },
    };
  return {
    kind: 'kit-fault',
    reason: error instanceof Error ? (error.stack ?? error.message) : String(error),
  };
}

/** What a case may take to end once its time is up. */
const STUCK_MS = 5_000;

/** A case that goes on when its time is up is a fault of the kit: it would hold up the whole run. */
async function failWhenStuck(expired: AbortSignal, settled: AbortSignal): Promise<void> {
  await pause(2_147_483_647, AbortSignal.any([expired, settled]));
  await pause(STUCK_MS, settled);
  if (!settled.aborted) throw new Error(`the case did not end within ${STUCK_MS} ms after its time was up`);
}

/** Judges one requirement. Never throws. */
export async function judgeCase(item: Case, requirement: Requirement, bench: Bench): Promise<JudgedCase> {
  const startedAt = performance.now();
  const ended = (outcome: Outcome): JudgedCase => ({
    requirement,
    outcome,
    durationMs: performance.now() - startedAt,
  });
  const reason = notConcerned(requirement, bench);
  if (reason !== undefined) return ended({ kind: 'not-applicable', reason });

  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const timer = setTimeout(() => controller.abort(), bench.options.timeoutMs);
  const closers: (() => Promise<void>)[] = [];
  const scope: CaseScope = {
    signal,
    onClose: (close) => closers.push(close),
    restartClock: () => void timer.refresh(),
  };
  const settled = new AbortController();
  try {
    const judging = Promise.resolve(item.judge(createContext(bench, scope)));
    await Promise.race([judging, failWhenStuck(signal, settled.signal)]);
    return ended({ kind: 'kept' });
  } catch (error) {
    return ended(outcomeOf(error));
  } finally {
    clearTimeout(timer);
    settled.abort();
    controller.abort();
    await Promise.all(closers.map((close) => close()));
  }
}
