import type { CapabilityOffer, RunnerMetadata } from '@controlplane/contracts';

/** The capabilities of all runners, by id and version, each with who offers it. */
export function capabilityOffers(runners: readonly RunnerMetadata[]): CapabilityOffer[] {
  const offers = new Map<string, CapabilityOffer>();
  for (const { id, name, status, capabilities } of runners) {
    for (const capability of capabilities) {
      const key = `${capability.id}@${capability.version}`;
      const offer = offers.get(key) ?? { ...capability, runners: [] };
      offer.runners.push({ id, name, status });
      offers.set(key, offer);
    }
  }
  return [...offers.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, offer]) => offer);
}
