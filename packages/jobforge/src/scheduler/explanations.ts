import type { JobWhy, RunnerFit } from '@controlplane/contracts';
import { demandOf, needsOf, type Demand, type Terms } from '../model/demand.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { toJobRequest } from '../model/job-record.js';
import { shownStatus } from '../model/job-state.js';
import { changeFor, nearness } from '../model/nearest-runners.js';
import { missingWords, offerRefusal, whyWaiting } from '../model/placement.js';
import { matchOf, type Refusal } from '../model/runner-match.js';
import { storedStatus } from '../store/store.js';
import { iso } from './job-views.js';
import type { LiveJob, RunnerEntry } from './live-job.js';
import type { LiveState } from './live-state.js';
import { isStaying } from './runner-entry.js';
import type { RunnerRegistry } from './runner-registry.js';
import { jobNotFound, reading } from './store-reads.js';

/** Says why jobs wait. */
export interface Explanations {
  /** In one sentence. */
  waitingFor(job: LiveJob): string;
  why(id: string): Promise<JobWhy>;
  /** The refusal of a job that does not want to wait and has no runner to go to; undefined where it has one. */
  unmatched(demand: Demand): JobForgeError | undefined;
}

export interface ExplanationParts {
  readonly state: LiveState;
  readonly registry: RunnerRegistry;
}

const MAX_RUNNERS = 50;
const MAX_CHANGES = 3;
const MAX_NEAR = 5;

interface Fit {
  readonly runner: RunnerEntry;
  readonly refusal: Refusal | undefined;
}

/** The first predicate that a runner fails. */
function refusalBy(
  { state, registry }: ExplanationParts,
  runner: RunnerEntry,
  { demand, affinity }: Pick<Terms, 'demand' | 'affinity'>,
): Refusal | undefined {
  const match = matchOf(runner, demand);
  if ('fails' in match) return match;
  const offer = registry.offerOf(demand, runner);
  const refusal = offer && offerRefusal(offer, state.clock.now());
  if (refusal?.fails === 'availability' || affinity === undefined) return refusal;
  const pin = state.affinity.of(affinity);
  if (pin === undefined || pin === runner || registry.offerOf(demand, pin) === undefined) return refusal;
  return { fails: 'affinity', reason: `is not ${pin.name}, with which the affinity key "${affinity}" is` };
}

/** Every runner beside what is asked of it, the nearest first. */
function fitsOf(parts: ExplanationParts, terms: Pick<Terms, 'demand' | 'affinity'>): Fit[] {
  return [...parts.registry.entries()]
    .map((runner) => ({ runner, refusal: refusalBy(parts, runner, terms) }))
    .toSorted((left, right) => {
      const order = nearness(right.refusal?.fails) - nearness(left.refusal?.fails);
      // Two that would do are both beyond all: their difference is no number.
      return order || (left.runner.name < right.runner.name ? -1 : 1);
    });
}

function toRunnerFit({ runner, refusal }: Fit): RunnerFit {
  const { id, name, slots, active } = runner;
  return { id, name, ...refusal, slots, freeSlots: Math.max(0, slots - active) };
}

/** What a runner that refuses for now would have to do. */
function untilWords({ runner: { name }, refusal }: Fit): string[] {
  if (refusal?.fails === 'slots') return [`a slot of ${name} became free`];
  if (refusal?.fails === 'availability') return [`${name} could take work again (it ${refusal.reason})`];
  return [];
}

/** What would let a job run that no runner matches. */
function matchChanges({ registry }: ExplanationParts, demand: Demand, fits: readonly Fit[]): string[] {
  const needs = needsOf(demand).join(', ');
  if (!registry.isOffered(demand)) {
    const beside = needs === '' ? '' : ` and has ${needs}`;
    return [`a runner registered that offers ${demand.payloadType}${beside}`];
  }
  const asked = fits.flatMap(({ runner, refusal }) => {
    const change = refusal && changeFor(runner, demand, refusal);
    return change === undefined ? [] : [`with ${change}`];
  });
  return [`a runner with ${needs} registered`, ...new Set(asked)];
}

function changesFor(parts: ExplanationParts, { terms }: LiveJob, fits: readonly Fit[]): string[] {
  const { state, registry } = parts;
  const { demand, concurrency } = terms;
  if (concurrency !== undefined && !state.concurrency.admits(concurrency))
    return [`a job of the concurrency key "${concurrency.key}" ended`];
  const offers = registry.offers(demand);
  if (offers.length === 0) return matchChanges(parts, demand, fits).slice(0, 1 + MAX_CHANGES);
  const now = state.clock.now();
  const rates = new Set(offers.flatMap(({ rate }) => (rate && !rate.admits(now) ? [rate] : [])));
  const times = [...rates].map((rate) => `it were ${iso(rate.nextAt(now))}`);
  return [...fits.flatMap(untilWords), ...times].slice(0, MAX_CHANGES);
}

/** What is asked beyond the capability, and what holds back. */
function needsIn({ demand, affinity, concurrency }: Terms): string[] {
  return [
    ...needsOf(demand),
    ...(affinity === undefined ? [] : [`affinity ${affinity}`]),
    ...(concurrency === undefined ? [] : [`concurrency ${concurrency.key} (${concurrency.limit} at once)`]),
  ];
}

function waitingFor({ state, registry }: ExplanationParts, { terms }: LiveJob): string {
  const { demand, affinity, concurrency } = terms;
  if (concurrency !== undefined && !state.concurrency.admits(concurrency)) {
    const running = state.concurrency.running(concurrency.key);
    return `the concurrency key "${concurrency.key}" is taken (${running} of ${concurrency.limit} running)`;
  }
  const pin = affinity === undefined ? undefined : state.affinity.of(affinity);
  const kept = pin && registry.offerOf(demand, pin);
  const offers = kept === undefined ? registry.offers(demand) : [kept];
  const words = whyWaiting(demand, offers, {
    now: state.clock.now(),
    known: registry.capabilityIds,
    isOffered: offers.length > 0 || registry.isOffered(demand),
  });
  return kept === undefined ? words : `${words}; the affinity key "${affinity}" is with it`;
}

/** What a job that does not wait for a runner is about. */
function stateWords(job: LiveJob): string {
  const { execution, nextAt, phase } = job;
  if (phase === 'pending') return `it starts at ${iso(nextAt)}, not before`;
  if (phase === 'retrying') return `its next attempt is at ${iso(nextAt)}`;
  if (execution === undefined) return 'its end is being written';
  const { name } = execution.runner;
  return execution.phase === 'accepted' ? `it runs on ${name}` : `it is being offered to ${name}`;
}

function explainWaiting(parts: ExplanationParts, job: LiveJob): Omit<JobWhy, 'id' | 'status'> {
  const { state } = parts;
  const { terms } = job;
  const fits = fitsOf(parts, terms);
  const more = fits.length - MAX_RUNNERS;
  const since = Math.max(job.createdAt, job.nextAt);
  return {
    reason: waitingFor(parts, job),
    waitingMs: Math.max(0, state.clock.now() - since),
    needs: needsIn(terms),
    ahead: state.ready.ahead(job),
    runners: fits.slice(0, MAX_RUNNERS).map(toRunnerFit),
    ...(more > 0 ? { moreRunners: more } : {}),
    wouldRunIf: changesFor(parts, job, fits),
  };
}

async function why(parts: ExplanationParts, id: string): Promise<JobWhy> {
  const { state } = parts;
  const live = state.jobs.get(id);
  if (live?.phase === 'queued') return { id, status: 'queued', ...explainWaiting(parts, live) };
  const nothing = { runners: [], wouldRunIf: [] };
  if (live !== undefined && live.phase !== 'ended') {
    const { phase, terms } = live;
    return { id, status: shownStatus(phase), reason: stateWords(live), needs: needsIn(terms), ...nothing };
  }
  const stored = await reading(state.store.loadJob(id));
  if (stored === undefined) throw jobNotFound(id);
  const status = storedStatus(stored);
  const needs = needsOf(demandOf(toJobRequest(id, stored)));
  return { id, status, reason: `it has ended: ${status}`, needs, ...nothing };
}

/** Nobody matches; or all who do are about to leave, or have. */
function unmatched(parts: ExplanationParts, demand: Demand): JobForgeError | undefined {
  const { registry } = parts;
  const offers = registry.offers(demand);
  if (offers.some(({ runner }) => isStaying(runner))) return undefined;
  const near = fitsOf(parts, { demand, affinity: undefined })
    .filter(({ refusal }) => refusal?.fails !== 'capability')
    .slice(0, MAX_NEAR)
    .map(({ runner, refusal }) => ({ name: runner.name, ...refusal }));
  const lacks = needsOf(demand).join(', ');
  const sentence = registry.isOffered(demand)
    ? `no runner that offers ${demand.payloadType} ${offers.length > 0 ? 'takes anything new' : `has ${lacks}`}`
    : missingWords(demand.payloadType, registry.capabilityIds());
  const names = near.map(({ name, reason }) => `${name} ${reason}`).join(', ');
  return new JobForgeError('NO_MATCHING_RUNNER', {
    message: names === '' ? sentence : `${sentence}: ${names}`,
    details: near.map(({ name, fails = 'availability', reason = '' }) => ({
      path: ['placement', fails],
      message: `${name} ${reason}`,
      code: fails,
    })),
  });
}

export function createExplanations(parts: ExplanationParts): Explanations {
  return {
    waitingFor: (job) => waitingFor(parts, job),
    why: (id) => why(parts, id),
    unmatched: (demand) => unmatched(parts, demand),
  };
}
