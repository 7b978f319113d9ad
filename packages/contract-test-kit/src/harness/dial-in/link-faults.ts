import { seededRandom } from '../../inputs/generate-input.js';

/** What befalls frames on their way to a runner; shares of 1. */
export interface FaultRates {
  /** The connection is cut instead. */
  readonly drop?: number | undefined;
  /** Held back for up to {@link FaultRates.delayMs}, so that later ones overtake it. */
  readonly delay?: number | undefined;
  readonly delayMs?: number | undefined;
  /** Sent twice. */
  readonly duplicate?: number | undefined;
  /** Seed of the choices: the same seed makes the same ones, in the order of frames. */
  readonly seed: number;
}

export interface LinkFaults {
  /** Sends a frame, or does to it what its lot is. */
  pass(send: () => void, cut: () => void): void;
}

/** Makes the faults of one control plane; without rates everything passes. */
export function createLinkFaults(rates: FaultRates | undefined): LinkFaults {
  const random = seededRandom(rates?.seed ?? 0);
  const { drop = 0, delay = 0, delayMs = 100, duplicate = 0 } = rates ?? {};
  return {
    pass(send, cut) {
      const lot = random();
      if (lot < drop) return cut();
      if (lot < drop + delay) return void setTimeout(send, Math.ceil(random() * delayMs));
      send();
      if (lot < drop + delay + duplicate) send();
    },
  };
}

/** The faults in words, as a report shows them. */
export function sayFaults({ drop = 0, delay = 0, delayMs = 100, duplicate = 0, seed }: FaultRates): string {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return `${percent(drop)} of frames lost with their connection, ${percent(delay)} late by up to ${delayMs} ms, ${percent(duplicate)} twice (seed ${seed})`;
}
