import { servesJob, type RateLimit } from '@controlplane/contracts';
import type { Demand } from '../model/demand.js';
import type { Offer } from '../model/placement.js';
import { matchOf } from '../model/runner-match.js';
import { stricterLimit } from '../model/token-bucket.js';
import type { RunnerEntry } from './live-job.js';
import type { CapabilityRate, RateLimits } from './rate-limits.js';

/** A runner that matches a demand, and the rate that its capability is held to. */
export interface RunnerOffer extends Offer<RunnerEntry> {
  readonly rate: CapabilityRate | undefined;
}

/** Who matches what, remembered until a runner comes, goes or changes. */
export interface RunnerOffers {
  /** Runners that match what a demand asks for, whether or not they are free. */
  offers(demand: Demand): readonly RunnerOffer[];
  /** What one runner makes of a demand; undefined where it does not match. */
  offerOf(demand: Demand, runner: RunnerEntry): RunnerOffer | undefined;
  /** Whether some runner offers the capability in some version, whatever else it is. */
  isOffered(demand: Demand): boolean;
  forget(): void;
}

/** Demands whose offers are remembered, and offers in all of these; clients choose them, so they are bounded. */
const MAX_CACHED_DEMANDS = 10_000;
const MAX_CACHED_OFFERS = 200_000;

interface Offers {
  readonly list: readonly RunnerOffer[];
  /** Made when it is asked for. */
  byRunner: ReadonlyMap<RunnerEntry, RunnerOffer> | undefined;
}

/** The strictest rate that is declared for each capability. */
function declaredRates(entries: Iterable<RunnerEntry>): Map<string, RateLimit> {
  const declared = new Map<string, RateLimit>();
  for (const { registration } of entries)
    for (const { id, rateLimit } of registration.capabilities) {
      if (rateLimit === undefined) continue;
      const other = declared.get(id);
      declared.set(id, other === undefined ? rateLimit : stricterLimit(other, rateLimit));
    }
  return declared;
}

export function createRunnerOffers(
  runners: { values(): Iterable<RunnerEntry> },
  rates: RateLimits,
): RunnerOffers {
  const byDemand = new Map<string, Offers>();
  let cachedOffers = 0;
  let declared: ReadonlyMap<string, RateLimit> | undefined;

  const rateOf = (capabilityId: string): CapabilityRate | undefined => {
    declared ??= declaredRates(runners.values());
    return rates.of(capabilityId, declared.get(capabilityId));
  };
  const findOffers = (demand: Demand): RunnerOffer[] =>
    [...runners.values()].flatMap((runner) => {
      const match = matchOf(runner, demand);
      return 'capability' in match ? [{ runner, ...match, rate: rateOf(match.capability.id) }] : [];
    });
  const clear = (): void => {
    byDemand.clear();
    cachedOffers = 0;
  };
  /** Makes room for as many offers more. */
  const reserve = (count: number): void => {
    if (byDemand.size >= MAX_CACHED_DEMANDS || cachedOffers + count > MAX_CACHED_OFFERS) clear();
    cachedOffers += count;
  };
  const offersOf = (demand: Demand): Offers => {
    const cached = byDemand.get(demand.key);
    if (cached !== undefined) return cached;
    const offers: Offers = { list: findOffers(demand), byRunner: undefined };
    reserve(offers.list.length);
    byDemand.set(demand.key, offers);
    return offers;
  };

  return {
    offers: (demand) => offersOf(demand).list,
    offerOf(demand, runner) {
      const offers = offersOf(demand);
      if (offers.byRunner === undefined) {
        reserve(offers.list.length);
        offers.byRunner = new Map(offers.list.map((offer) => [offer.runner, offer]));
      }
      return offers.byRunner.get(runner);
    },
    isOffered: (demand) =>
      [...runners.values()].some(({ registration }) =>
        registration.capabilities.some(
          (capability) =>
            servesJob(capability, demand) &&
            (demand.target?.servedBy !== 'id' || capability.id === demand.payloadType),
        ),
      ),
    forget() {
      clear();
      declared = undefined;
    },
  };
}
