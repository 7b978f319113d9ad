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

/** What became of frames, counted. */
export interface FaultCounts {
  passed: number;
  dropped: number;
  delayed: number;
  duplicated: number;
}

export interface LinkFaults {
  readonly counts: Readonly<FaultCounts>;
  /** Sends a frame, or does to it what its lot is. */
  pass(send: () => void, cut: () => void): void;
}

/** Makes the faults of one control plane; without rates everything passes. */
export function createLinkFaults(rates: FaultRates | undefined): LinkFaults {
  const counts: FaultCounts = { passed: 0, dropped: 0, delayed: 0, duplicated: 0 };
  const random = seededRandom(rates?.seed ?? 0);
  const { drop = 0, delay = 0, delayMs = 100, duplicate = 0 } = rates ?? {};
  return {
    counts,
    pass(send, cut) {
      const lot = random();
      if (lot < drop) {
        counts.dropped += 1;
        return cut();
      }
      if (lot < drop + delay) {
        counts.delayed += 1;
        return void setTimeout(send, Math.ceil(random() * delayMs));
      }
      counts.passed += 1;
      send();
      if (lot < drop + delay + duplicate) {
        counts.duplicated += 1;
        send();
      }
    },
  };
}

/** The faults in words, as a report shows them. */
export function sayFaults({ drop = 0, delay = 0, delayMs = 100, duplicate = 0, seed }: FaultRates): string {
  const percent = (share: number): string => `${Math.round(share * 100)} %`;
  return `${percent(drop)} of frames lost with their connection, ${percent(delay)} late by up to ${delayMs} ms, ${percent(duplicate)} twice (seed ${seed})`;
}
