import { capabilityFor, type Demand, type Offer } from '../model/placement.js';
import type { RunnerEntry } from './live-job.js';
import { identityOf } from './runner-entry.js';

/** The runners that are known, by id, by identity and by what they offer. */
export interface RunnerIndex {
  add(entry: RunnerEntry): void;
  remove(entry: RunnerEntry): void;
  /** Says that an entry's registration is about to become another. */
  rename(entry: RunnerEntry, change: () => void): void;
  get(id: string): RunnerEntry | undefined;
  byIdentity(identity: string): RunnerEntry | undefined;
  entries(): Iterable<RunnerEntry>;
  /** Runners that offer what a demand asks for, whether or not they are free. */
  offers(demand: Demand): readonly Offer<RunnerEntry>[];
  capabilityIds(): string[];
}

/** Demands whose offers are remembered; clients choose them, so they are bounded. */
const MAX_CACHED_DEMANDS = 1_000;

export function createRunnerIndex(): RunnerIndex {
  const byId = new Map<string, RunnerEntry>();
  const byIdentity = new Map<string, RunnerEntry>();
  const offersByDemand = new Map<string, readonly Offer<RunnerEntry>[]>();

  const link = (entry: RunnerEntry): void => {
    byIdentity.set(identityOf(entry.registration), entry);
    offersByDemand.clear();
  };
  const unlink = (entry: RunnerEntry): void => {
    const identity = identityOf(entry.registration);
    if (byIdentity.get(identity) === entry) byIdentity.delete(identity);
    offersByDemand.clear();
  };
  const findOffers = (demand: Demand): readonly Offer<RunnerEntry>[] =>
    [...byId.values()].flatMap((runner) => {
      const capability = capabilityFor(runner.registration.capabilities, demand);
      return capability === undefined ? [] : [{ runner, capability }];
    });

  return {
    add(entry) {
      byId.set(entry.id, entry);
      link(entry);
    },
    remove(entry) {
      byId.delete(entry.id);
      unlink(entry);
    },
    rename(entry, change) {
      unlink(entry);
      change();
      link(entry);
    },
    get: (id) => byId.get(id),
    byIdentity: (identity) => byIdentity.get(identity),
    entries: () => byId.values(),
    offers(demand) {
      const key = `${demand.payloadType}\n${demand.jobType}`;
      const cached = offersByDemand.get(key);
      if (cached !== undefined) return cached;
      if (offersByDemand.size >= MAX_CACHED_DEMANDS) offersByDemand.clear();
      const offers = findOffers(demand);
      offersByDemand.set(key, offers);
      return offers;
    },
    capabilityIds: () => [
      ...new Set(
        [...byId.values()].flatMap(({ registration }) => registration.capabilities.map(({ id }) => id)),
      ),
    ],
  };
}
