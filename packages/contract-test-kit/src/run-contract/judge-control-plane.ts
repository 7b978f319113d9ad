import { setMaxListeners } from 'node:events';
import { PLANE_CASES } from '../cases/plane-cases.js';
import type { PlaneCase, PlaneContext } from '../case/plane-case.js';
import { Mismatch } from '../case/verdict.js';
import type { Exchange } from '../harness/exchange.js';
import { playPollingRunner } from '../harness/played/played-poller.js';
import type { PlayedRunner } from '../harness/played/played-runner.js';
import { playSocketRunner } from '../harness/played/played-socket.js';
import { ask, enrollmentToken, type JudgedPlane } from '../harness/played/plane-client.js';
import { playPushedRunner } from '../harness/played/pushed-runner.js';
import { NoAnswer } from '../harness/exchange.js';
import { TargetUnreachable } from '../harness/target-unreachable.js';
import type { Requirement } from '../requirements/requirement.js';
import type { ControlPlaneTarget } from '../target/target.js';
import { outcomeOf, type JudgedCase } from './judge-case.js';
import type { ResolvedRunOptions } from './options.js';
import { runLanes } from './run-lanes.js';

/** For the last words to a control plane, which may not answer. */
const LEAVE_MS = 5_000;
/** Cases that speak to the control plane at once, each by names of its own. */
const LANES = 6;

/** What a case has opened, closed when it ends. */
interface Scope {
  readonly plane: JudgedPlane;
  readonly closers: ((signal: AbortSignal) => Promise<void>)[];
  /** Jobs that it has submitted: those that wait still are cancelled when it ends. */
  readonly jobs: Set<string>;
}

async function playRunner(
  { plane, closers }: Scope,
  kind: 'websocket' | 'long-poll',
  changes: Readonly<Record<string, unknown>>,
): Promise<PlayedRunner> {
  const play = kind === 'websocket' ? playSocketRunner : playPollingRunner;
  const runner = await play(plane, { credential: await enrollmentToken(plane), changes });
  if (!runner) {
    const expected = 'a registration that is accepted';
    throw new Mismatch({ sent: `the registration of a runner over ${kind}`, expected, actual: 'a refusal' });
  }
  closers.push((signal) => runner.close(signal));
  return runner;
}

/** The ids of the jobs that the answer to a submission tells of. */
function jobIdsIn({ json }: Exchange): readonly string[] {
  const { id, jobs } = Object(json) as { readonly id?: unknown; readonly jobs?: unknown };
  const entries = Array.isArray(jobs) ? (jobs as readonly unknown[]) : [];
  const ids = [id, ...entries.map((entry) => (Object(entry) as { readonly id?: unknown }).id)];
  return ids.filter((one) => typeof one === 'string');
}

function createContext(scope: Scope): PlaneContext {
  const { plane, closers, jobs } = scope;
  return {
    ...plane,
    async ask(method, path, asking) {
      const exchange = await ask(plane, [method, path], asking);
      if (method === 'POST' && (path === '/jobs' || path === '/jobs/batch'))
        for (const id of jobIdsIn(exchange)) jobs.add(id);
      return exchange;
    },
    enrollment: () => enrollmentToken(plane),
    runner: (kind, changes = {}) => playRunner(scope, kind, changes),
    async pushedRunner() {
      const runner = await playPushedRunner(plane, await enrollmentToken(plane));
      closers.push(() => runner.close());
      return runner;
    },
  };
}

/**
 * The last words of a case, said to whoever is there: nothing that it began waits for ever. They have a time of their
 * own: that of the case may be up.
 */
async function leave({ plane, jobs, closers }: Scope): Promise<void> {
  const signal = AbortSignal.timeout(LEAVE_MS);
  setMaxListeners(0, signal);
  const cancel = (id: string): Promise<Exchange> =>
    ask({ ...plane, signal }, ['POST', `/jobs/${encodeURIComponent(id)}/cancel`], { body: {} });
  await Promise.allSettled([...jobs].map(cancel));
  await Promise.allSettled(closers.map((close) => close(signal)));
}

async function judgeOne(
  item: PlaneCase,
  requirement: Requirement,
  run: { readonly target: ControlPlaneTarget; readonly options: ResolvedRunOptions },
): Promise<JudgedCase> {
  const startedAt = performance.now();
  const controller = new AbortController();
  const { signal } = controller;
  setMaxListeners(0, signal);
  const timer = setTimeout(
    () => controller.abort(),
    Math.max(run.options.timeoutMs, (item.leastMs ?? 0) * 2),
  );
  const { url, token } = run.target;
  const scope: Scope = {
    plane: { url: url.replace(/\/+$/, ''), token, signal },
    closers: [],
    jobs: new Set(),
  };
  const ended = (outcome: JudgedCase['outcome']): JudgedCase => ({
    ...{ requirement, outcome, runnerEnded: false },
    durationMs: performance.now() - startedAt,
  });
  try {
    await item.judge(createContext(scope));
    return ended({ kind: 'kept' });
  } catch (error) {
    return ended(outcomeOf(error));
  } finally {
    clearTimeout(timer);
    await leave(scope);
    controller.abort();
  }
}

async function mustBeThere(
  { url }: ControlPlaneTarget,
  { startTimeoutMs }: ResolvedRunOptions,
): Promise<void> {
  const plane = {
    url: url.replace(/\/+$/, ''),
    token: undefined,
    signal: AbortSignal.timeout(startTimeoutMs),
  };
  await ask(plane, ['GET', '/health']).catch((error: unknown): Exchange => {
    if (!(error instanceof NoAnswer)) throw error;
    throw new TargetUnreachable(
      `Nothing answers at ${plane.url}/health (${error.reason}). Is the control plane started, and is --control-plane its root?`,
    );
  });
}

/**
 * Judges a control plane: the kit plays runners and clients.
 * @throws TargetUnreachable when nothing answers
 */
export async function judgeControlPlane(
  target: ControlPlaneTarget,
  requirements: readonly Requirement[],
  options: ResolvedRunOptions,
): Promise<readonly JudgedCase[]> {
  await mustBeThere(target, options);
  let done = 0;
  const jobs = requirements.map((requirement) => async (): Promise<JudgedCase> => {
    const item = PLANE_CASES.get(requirement.id);
    const reason = 'is about a runner: --command or --url';
    const judged: JudgedCase = item
      ? await judgeOne(item, requirement, { target, options })
      : { requirement, outcome: { kind: 'not-applicable', reason }, durationMs: 0, runnerEnded: false };
    done += 1;
    options.onProgress(done, requirements.length);
    return judged;
  });
  return runLanes(jobs, LANES);
}
