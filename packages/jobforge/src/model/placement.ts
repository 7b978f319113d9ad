import { servesJob, type RunnerCapability } from '@controlplane/contracts';
import { nearName } from './near-name.js';
import { markRefusal, refusalOf, type RunnerMarks, type RunnerVitals } from './runner-status.js';

/** What a job asks for. */
export interface Demand {
  /** A capability's id. */
  readonly payloadType: string;
  /** One of a capability's supported job types. */
  readonly jobType: string;
}

/** A runner as placement sees it. */
export interface PlaceableRunner {
  readonly name: string;
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

/** A runner and the capability with which it would serve a demand. */
export interface Offer<R extends PlaceableRunner> {
  readonly runner: R;
  readonly capability: RunnerCapability;
}

/** The capability of a list that serves a demand: by id first, then by job type. */
export function capabilityFor(
  capabilities: readonly RunnerCapability[],
  demand: Demand,
): RunnerCapability | undefined {
  return (
    capabilities.find((capability) => capability.id === demand.payloadType) ??
    capabilities.find((capability) => servesJob(capability, demand))
  );
}

/** Why an offer cannot be made now, in words that follow the runner's name; undefined when it can. */
export function offerRefusal<R extends PlaceableRunner>(
  { runner, capability }: Offer<R>,
  now: number,
): string | undefined {
  const refusal = markRefusal(runner.marks) ?? refusalOf(runner.vitals, now);
  if (refusal !== undefined) return refusal;
  if (!runner.connected) return 'is not connected';
  if (runner.active >= runner.slots || !runner.hasRoom)
    return `has no free slot (${runner.active} of ${runner.slots} taken)`;
  const active = runner.activeOf(capability.id);
  if (active >= capability.maxConcurrency) {
    return `runs ${active} of at most ${capability.maxConcurrency} executions of ${capability.id}`;
  }
  return undefined;
}

function isBetter(left: PlaceableRunner, right: PlaceableRunner): boolean {
  const difference = left.active / left.slots - right.active / right.slots;
  return difference === 0 ? left.name < right.name : difference < 0;
}

/** Chooses among the runners that offer a capability: the least loaded one that can take it, then by name. */
export function place<R extends PlaceableRunner>(
  offers: readonly Offer<R>[],
  now: number,
): Offer<R> | undefined {
  let best: Offer<R> | undefined;
  for (const offer of offers) {
    if (offerRefusal(offer, now) !== undefined) continue;
    if (best === undefined || isBetter(offer.runner, best.runner)) best = offer;
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

/** Says why a job waits. */
export function whyWaiting<R extends PlaceableRunner>(
  demand: Demand,
  offers: readonly Offer<R>[],
  at: { readonly now: number; readonly known: readonly string[] },
): string {
  if (offers.length === 0) {
    return missingWords(demand.payloadType, at.known);
  }
  const reasons = offers.flatMap((offer) => {
    const refusal = offerRefusal(offer, at.now);
    return refusal === undefined ? [] : [`${offer.runner.name} ${refusal}`];
  });
  return reasons.length === 0 ? 'it is next in line' : listed(reasons);
}
