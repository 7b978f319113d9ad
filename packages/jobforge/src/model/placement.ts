import { compareVersions, type PlacementPredicate, type RunnerCapability } from '@controlplane/contracts';
import { needsOf, type Demand } from './demand.js';
import { nearName } from './near-name.js';
import type { Refusal, RunnerTraits } from './runner-match.js';
import { markRefusal, refusalOf, type RunnerMarks, type RunnerVitals } from './runner-status.js';

/** A runner as placement sees it. */
export interface PlaceableRunner extends RunnerTraits {
  readonly vitals: RunnerVitals;
  /** Executions that it takes at once, over all capabilities. */
  readonly slots: number;
  readonly active: number;
  /** Whether it can be told anything now. */
  readonly connected: boolean;
  /** Whether its link can carry one more. */
  readonly hasRoom: boolean;
  /** What an operator has said about it. */
  readonly marks?: RunnerMarks;
  /** Executions of one capability now. */
  activeOf(capabilityId: string): number;
}

/** Holds a capability to a rate. */
export interface RateGate {
  admits(now: number): boolean;
  /** Why nothing goes through now, in words that follow a runner's name. */
  words(now: number): string;
}

/** A runner and the capability with which it would serve a demand. */
export interface Offer<R extends PlaceableRunner> {
  readonly runner: R;
  readonly capability: RunnerCapability;
  readonly rate?: RateGate | undefined;
}

interface OfferPredicate {
  readonly name: PlacementPredicate;
  fails(offer: Offer<PlaceableRunner>, now: number): boolean;
  words(offer: Offer<PlaceableRunner>, now: number): string;
}

/** What an offer must pass now, in this order; what a runner must be was asked by `matchOf` before. */
const OFFER_PREDICATES: readonly OfferPredicate[] = [
  {
    name: 'availability',
    fails: ({ runner: { marks, vitals, connected } }, now) =>
      markRefusal(marks) !== undefined || refusalOf(vitals, now) !== undefined || !connected,
    words: ({ runner: { marks, vitals } }, now) =>
      markRefusal(marks) ?? refusalOf(vitals, now) ?? 'is not connected',
  },
  {
    name: 'slots',
    fails: ({ runner }) => runner.active >= runner.slots || !runner.hasRoom,
    words: ({ runner }) => `has no free slot (${runner.active} of ${runner.slots} taken)`,
  },
  {
    name: 'slots',
    fails: ({ runner, capability }) => runner.activeOf(capability.id) >= capability.maxConcurrency,
    words: ({ runner, capability: { id, maxConcurrency } }) =>
      `runs ${runner.activeOf(id)} of at most ${maxConcurrency} executions of ${id}`,
  },
  {
    name: 'rate-limit',
    fails: ({ rate }, now) => rate !== undefined && !rate.admits(now),
    words: ({ rate }, now) => rate?.words(now) ?? '',
  },
];

/** Why an offer cannot be made now; undefined when it can. */
export function offerRefusal(offer: Offer<PlaceableRunner>, now: number): Refusal | undefined {
  const failed = OFFER_PREDICATES.find(({ fails }) => fails(offer, now));
  return failed && { fails: failed.name, reason: failed.words(offer, now) };
}

/** Whether an offer can be made now; as {@link offerRefusal}, without the words. */
function canTake(offer: Offer<PlaceableRunner>, now: number): boolean {
  for (const predicate of OFFER_PREDICATES) if (predicate.fails(offer, now)) return false;
  return true;
}

function isBetter(left: Offer<PlaceableRunner>, right: Offer<PlaceableRunner>): boolean {
  const difference = left.runner.active / left.runner.slots - right.runner.active / right.runner.slots;
  if (difference !== 0) return difference < 0;
  const versions = compareVersions(left.capability.version, right.capability.version);
  return versions === 0 ? left.runner.name < right.runner.name : versions > 0;
}

/**
 * Chooses among the runners that match a demand: the least loaded one that can take it, then the higher version of the
 * capability, then by name.
 */
export function place<O extends Offer<PlaceableRunner>>(offers: readonly O[], now: number): O | undefined {
  let best: O | undefined;
  for (const offer of offers) {
    if (!canTake(offer, now)) continue;
    if (best === undefined || isBetter(offer, best)) best = offer;
  }
  return best;
}

const MAX_NAMED = 5;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMED).join(', ');
  return names.length > MAX_NAMED ? `${shown} and ${names.length - MAX_NAMED} more` : shown;
}

/** Says that nobody offers a capability, and which one was probably meant or which are known. */
export function missingWords(wanted: string, known: readonly string[]): string {
  const meant = nearName(wanted, known);
  const instead = meant === undefined ? `known: ${listed(known)}` : `did you mean ${meant}?`;
  return `no runner offers ${wanted} yet (${known.length === 0 ? 'no runner is registered' : instead})`;
}

/** What is known where a job waits. */
export interface Surroundings {
  readonly now: number;
  /** Ids of all capabilities that are offered. */
  readonly known: () => readonly string[];
  /** Some runner offers the capability, whether or not it matches. */
  readonly isOffered: boolean;
}

/** Says why a job waits. */
export function whyWaiting(
  demand: Demand,
  offers: readonly Offer<PlaceableRunner>[],
  at: Surroundings,
): string {
  if (offers.length === 0) {
    if (!at.isOffered) return missingWords(demand.payloadType, at.known());
    return `no runner that offers ${demand.payloadType} has ${needsOf(demand).join(', ')}`;
  }
  const reasons = offers.flatMap((offer) => {
    const refusal = offerRefusal(offer, at.now);
    return refusal === undefined ? [] : [`${offer.runner.name} ${refusal.reason}`];
  });
  return reasons.length === 0 ? 'it is next in line' : listed(reasons);
}
