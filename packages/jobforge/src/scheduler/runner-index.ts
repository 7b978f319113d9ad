import type { RunnerEntry } from './live-job.js';
import type { RateLimits } from './rate-limits.js';
import { identityOf } from './runner-entry.js';
import { createRunnerOffers, type RunnerOffers } from './runner-offers.js';

/** The runners that are known, by id, by identity and by what they offer. */
export interface RunnerIndex extends Omit<RunnerOffers, 'forget'> {
  add(entry: RunnerEntry): void;
  remove(entry: RunnerEntry): void;
  /** Says that an entry's registration is about to become another. */
  rename(entry: RunnerEntry, change: () => void): void;
  get(id: string): RunnerEntry | undefined;
  byIdentity(identity: string): RunnerEntry | undefined;
  entries(): Iterable<RunnerEntry>;
  capabilityIds(): string[];
}

export function createRunnerIndex(rates: RateLimits): RunnerIndex {
  const byId = new Map<string, RunnerEntry>();
  const byIdentity = new Map<string, RunnerEntry>();
  const offers = createRunnerOffers(byId, rates);

  const link = (entry: RunnerEntry): void => {
    byIdentity.set(identityOf(entry.registration), entry);
    offers.forget();
  };
  const unlink = (entry: RunnerEntry): void => {
    const identity = identityOf(entry.registration);
    if (byIdentity.get(identity) === entry) byIdentity.delete(identity);
    offers.forget();
  };
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
    offers: offers.offers,
    offerOf: offers.offerOf,
    isOffered: offers.isOffered,
    capabilityIds: () => [
      ...new Set(
        [...byId.values()].flatMap(({ registration }) => registration.capabilities.map(({ id }) => id)),
      ),
    ],
  };
}
