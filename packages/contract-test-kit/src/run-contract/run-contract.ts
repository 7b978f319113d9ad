import { CASES } from '../cases/all-cases.js';
import type { Finding } from '../case/verdict.js';
import type { RunnerSession } from '../harness/runner-session.js';
import { seededRandom } from '../inputs/generate-input.js';
import type { ContractReport } from '../reporters/report.js';
import { selectRequirements } from '../requirements/select-requirements.js';
import type { Requirement } from '../requirements/requirement.js';
import type { Target } from '../target/target.js';
import { assembleReport } from './assemble-report.js';
import { judgeCase, type Bench, type JudgedCase } from './judge-case.js';
import { resolveRunOptions, type RunContractOptions } from './options.js';
import { runLanes } from './run-lanes.js';
import { openSharedRunner } from './shared-runner.js';

/** Cases that share the runner and run at once, at most. */
const SHARED_LANES = 4;
/** Runners that cases start for themselves and that live at once, at most. */
const PROCESS_LANES = 3;

/** A glob or profile that selects nothing. */
export class NothingSelected extends Error {
  override readonly name = 'NothingSelected';
}

interface Planned {
  readonly requirement: Requirement;
  readonly run: () => Promise<JudgedCase>;
}

function shuffle<T>(items: readonly T[], seed: number): T[] {
  const random = seededRandom(seed);
  return items
    .map((item) => ({ item, order: random() }))
    .toSorted((left, right) => left.order - right.order)
    .map(({ item }) => item);
}

/** How many cases may use the runner at once without filling its slots. */
function sharedLanes({ description }: RunnerSession): number {
  const limits = description.capabilities.map(({ maxConcurrency }) => maxConcurrency);
  return Math.max(1, Math.min(SHARED_LANES, description.maxConcurrency ?? SHARED_LANES, ...limits));
}

function plan(requirements: readonly Requirement[], bench: Bench) {
  const done = new Set<string>();
  const shared: Planned[] = [];
  const alone: Planned[] = [];
  const own: Planned[] = [];
  for (const requirement of requirements) {
    const item = CASES.get(requirement.id);
    if (!item) throw new Error(`requirement ${requirement.id} has no case`);
    const lane = requirement.needs === 'process' ? own : item.alone ? alone : shared;
    const run = async (): Promise<JudgedCase> => {
      const judged = await judgeCase(item, requirement, bench);
      done.add(requirement.id);
      bench.options.onProgress(done.size, requirements.length);
      return judged;
    };
    lane.push({ requirement, run });
  }
  return { shared, alone, own };
}

/** A rule that was broken in another case breaks its requirement too, where that was selected and kept. */
function applyViolations(
  judged: readonly JudgedCase[],
  violations: ReadonlyMap<string, Finding>,
): JudgedCase[] {
  return judged.map((result) => {
    const finding = violations.get(result.requirement.id);
    return finding && result.outcome.kind !== 'broken'
      ? { ...result, outcome: { kind: 'broken', finding } }
      : result;
  });
}

async function judgeAll(requirements: readonly Requirement[], bench: Bench): Promise<JudgedCase[]> {
  const { shared, alone, own } = plan(requirements, bench);
  const run = (items: readonly Planned[], lanes: number): Promise<JudgedCase[]> =>
    runLanes(
      shuffle(items, bench.options.seed).map((item) => item.run),
      lanes,
    );
  const onShared = async (): Promise<JudgedCase[]> => {
    const judged = await run(shared, sharedLanes(bench.runner.first));
    // Which of the cases at work has brought the runner down shows when each is alone with it.
    const hit = new Set(
      judged.filter(({ runnerEnded }) => runnerEnded).map(({ requirement }) => requirement),
    );
    const again = shared.filter(({ requirement }) => hit.has(requirement));
    return [
      ...judged.filter(({ requirement }) => !hit.has(requirement)),
      ...(await run([...again, ...alone], 1)),
    ];
  };
  const [fromShared, fromOwn] = await Promise.all([onShared(), run(own, PROCESS_LANES)]);
  const order = new Map(requirements.map(({ id }, index) => [id, index]));
  return [...fromShared, ...fromOwn].toSorted(
    (left, right) => (order.get(left.requirement.id) ?? 0) - (order.get(right.requirement.id) ?? 0),
  );
}

/**
 * Judges a runner from outside.
 * @param target - a command that the kit starts and stops, or the URL of a runner that runs
 * @param options - which requirements, timeouts, seed, strictness
 * @returns the report; its `conformant` says the verdict
 * @throws TargetUnreachable when the runner does not start or does not answer
 * @throws NothingSelected when no requirement fits the selection
 */
export async function runContract(target: Target, options: RunContractOptions = {}): Promise<ContractReport> {
  const { selected, unmatched } = selectRequirements({ ids: options.run, profiles: options.profiles });
  if (unmatched.length > 0)
    throw new NothingSelected(
      `no requirement is called ${unmatched.join(', ')}; \`contract-test list\` shows them all`,
    );
  if (selected.length === 0) throw new NothingSelected('the ids and profiles together select no requirement');
  const resolved = resolveRunOptions(options);
  const startedAt = new Date();
  const begin = performance.now();
  const violations = new Map<string, Finding>();
  const runner = await openSharedRunner({
    target,
    environment: resolved.environment,
    startTimeoutMs: resolved.startTimeoutMs,
  });
  try {
    const onViolation: Bench['onViolation'] = (id, finding) => {
      if (!violations.has(id)) violations.set(id, finding);
    };
    const judged = await judgeAll(selected, { target, runner, options: resolved, onViolation });
    const final = applyViolations(judged, violations);
    return assembleReport({
      target,
      options: resolved,
      description: runner.first.description,
      judged: final,
      startedAt,
      durationMs: performance.now() - begin,
    });
  } finally {
    await runner.close();
  }
}
