import { CASES } from '../cases/all-cases.js';
import type { Finding } from '../case/verdict.js';
import type { RunnerDescription } from '../harness/runner-description.js';
import type { RunnerSession } from '../harness/runner-session.js';
import { TargetUnreachable } from '../harness/target-unreachable.js';
import { seededRandom } from '../inputs/generate-input.js';
import type { ContractReport, SkippedDelivery } from '../reporters/report.js';
import { selectRequirements } from '../requirements/select-requirements.js';
import { findRequirement, type Requirement } from '../requirements/requirement.js';
import { DeliveryKind } from '../target/delivery.js';
import type { ControlPlaneTarget, RunnerTarget, Target } from '../target/target.js';
import { assembleReport } from './assemble-report.js';
import { judgeControlPlane } from './judge-control-plane.js';
import { judgeCase, type Bench, type JudgedCase } from './judge-case.js';
import { mergeDeliveries, type JudgedDelivery } from './merge-deliveries.js';
import { resolveRunOptions, type ResolvedRunOptions, type RunContractOptions } from './options.js';
import { runLanes } from './run-lanes.js';
import { openSharedRunner } from './shared-runner.js';

/** Cases that share the runner and run at once, at most. */
const SHARED_LANES = 4;
/** Runners that cases start for themselves and that live at once, at most; beside them those that are waited for. */
const PROCESS_LANES = 4;
/** A case that takes so long does hardly anything but wait. */
const PATIENT_MS = 10_000;

/** A glob or profile that selects nothing. */
export class NothingSelected extends Error {
  override readonly name = 'NothingSelected';
}

/** The runner is reached in another way than it was asked to be. */
class DeliveryNotSpoken extends TargetUnreachable {
  override readonly name = 'TargetUnreachable';
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
  const patient: Planned[] = [];
  for (const requirement of requirements) {
    const item = CASES.get(requirement.id);
    if (!item) throw new Error(`requirement ${requirement.id} has no case`);
    const isPatient = requirement.needs === 'process' && (item.leastMs ?? 0) >= PATIENT_MS;
    const started = isPatient ? patient : own;
    const lane = requirement.needs === 'process' ? started : item.alone ? alone : shared;
    const run = async (): Promise<JudgedCase> => {
      const judged = await judgeCase(item, requirement, bench);
      done.add(requirement.id);
      bench.options.onProgress(done.size, requirements.length);
      return judged;
    };
    lane.push({ requirement, run });
  }
  return { shared, alone, own, patient };
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
  const { shared, alone, own, patient } = plan(requirements, bench);
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
  // What waits longest begins first, and holds up nothing.
  const judged = await Promise.all([onShared(), run(own, PROCESS_LANES), run(patient, patient.length)]);
  const order = new Map(requirements.map(({ id }, index) => [id, index]));
  return judged
    .flat()
    .toSorted(
      (left, right) => (order.get(left.requirement.id) ?? 0) - (order.get(right.requirement.id) ?? 0),
    );
}

/** A run over one delivery. */
interface Round extends JudgedDelivery {
  readonly description: RunnerDescription;
}

/** The runner registers with another delivery than it was told to. */
function otherDelivery(asked: DeliveryKind | undefined, { delivery }: RunnerSession): string | undefined {
  if (asked === undefined || asked === delivery) return undefined;
  return `the runner was started with RUNNER_DELIVERY=${asked} and registers with ${delivery}`;
}

/** What a run is about: the requirements of the delivery that is judged, and others that were asked for by their id. */
function concerning(
  selected: readonly Requirement[],
  delivery: DeliveryKind,
  { run = [] }: RunContractOptions,
): readonly Requirement[] {
  if (run.length > 0) return selected;
  const own = selected.filter(
    ({ deliveries, needs }) => needs !== 'control-plane-url' && deliveries.includes(delivery),
  );
  return own.length > 0 ? own : selected;
}

async function judgeOver(
  asked: DeliveryKind | undefined,
  target: RunnerTarget,
  run: {
    readonly selected: readonly Requirement[];
    readonly given: RunContractOptions;
    readonly options: ResolvedRunOptions;
  },
): Promise<Round> {
  const { options } = run;
  const violations = new Map<string, Finding>();
  const { environment, startTimeoutMs } = options;
  const runner = await openSharedRunner({ target, environment, startTimeoutMs, delivery: asked });
  try {
    const { delivery, description } = runner.first;
    const refusal = otherDelivery(asked, runner.first);
    if (refusal !== undefined) throw new DeliveryNotSpoken(refusal);
    const onViolation: Bench['onViolation'] = (id, finding) => {
      const isJudged = findRequirement(id)?.deliveries.includes(delivery) === true;
      if (isJudged && !violations.has(id)) violations.set(id, finding);
    };
    const told = asked ?? (delivery === 'push' ? undefined : delivery);
    const requirements = concerning(run.selected, delivery, run.given);
    const judged = await judgeAll(requirements, { target, runner, options, delivery: told, onViolation });
    return { delivery, description, judged: applyViolations(judged, violations) };
  } finally {
    await runner.close();
  }
}

/** The rounds of a run, and the deliveries that there was none over. */
interface Rounds {
  readonly rounds: readonly [Round, ...Round[]];
  readonly skipped?: readonly SkippedDelivery[];
}

/** Judges over each delivery that the runner takes when told to; over none is unreachable. */
async function judgeOverAll(target: RunnerTarget, run: Parameters<typeof judgeOver>[2]): Promise<Rounds> {
  const rounds: Round[] = [];
  const skipped: SkippedDelivery[] = [];
  let refusal: Error | undefined;
  for (const delivery of DeliveryKind.options) {
    try {
      rounds.push(await judgeOver(delivery, target, run));
    } catch (error) {
      if (!(error instanceof TargetUnreachable)) throw error;
      refusal ??= error;
      skipped.push({ delivery, reason: error.message });
    }
  }
  const [first, ...rest] = rounds;
  if (!first) throw refusal ?? new TargetUnreachable('the runner takes no delivery');
  return { rounds: [first, ...rest], skipped };
}

/** What is known of a control plane: it does nothing itself. */
const NO_RUNNER: RunnerDescription = {
  ...{ name: undefined, version: undefined, capabilities: [], features: [], maxConcurrency: undefined },
  source: 'nowhere',
};

async function judgePlane(
  target: ControlPlaneTarget,
  { selected, given, options }: Parameters<typeof judgeOver>[2],
): Promise<ContractReport> {
  const startedAt = new Date();
  const begin = performance.now();
  const about = selected.filter(({ needs }) => needs === 'control-plane-url');
  const isNamed = (given.run?.length ?? 0) > 0 || about.length === 0;
  const judged = await judgeControlPlane(target, isNamed ? selected : about, options);
  return assembleReport({
    ...{ target, options, description: NO_RUNNER, deliveries: [], startedAt },
    judged: judged.map((one) => ({ ...one, delivery: 'push', over: [] })),
    durationMs: performance.now() - begin,
  });
}

/**
 * Judges a runner, or a control plane, from outside.
 * @param target - a command that the kit starts and stops, the URL of a runner that runs, or a control plane
 * @param options - which requirements, deliveries, timeouts, seed, strictness
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
  const run = { selected, given: options, options: resolved };
  if (target.kind === 'control-plane') return judgePlane(target, run);
  const { rounds, ...more }: Rounds =
    resolved.delivery === 'all'
      ? await judgeOverAll(target, run)
      : { rounds: [await judgeOver(resolved.delivery, target, run)] };
  return assembleReport({
    ...more,
    target,
    options: resolved,
    description: rounds[0].description,
    deliveries: rounds.map(({ delivery }) => delivery),
    judged: mergeDeliveries(selected, rounds),
    startedAt,
    durationMs: performance.now() - begin,
  });
}
