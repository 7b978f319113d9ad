/**
 * @module
 * A control plane that lives in the memory of a test: it plays the contract's part of one, over a link that loses,
 * doubles, delays and reorders what is said, on a clock that stands still. Imports the contract, util, and of the
 * work side the seam's types alone.
 */
import type { RunnerFrame, ServerFrame } from '@controlplane/contracts';
import { toMilliseconds, type Duration } from '../../util/duration.js';

/** What a message is about: the `type` of the contract's frames. */
export type FrameType = RunnerFrame['type'] | ServerFrame['type'];

/** A message on its way. */
export interface FrameInTransit {
  readonly from: 'runner' | 'host';
  readonly type: FrameType;
  /** What it is about; none for registrations and heartbeats. */
  readonly executionId: string | undefined;
  /** How many of this type have been sent to this side, this one included. */
  readonly nth: number;
}

/** What becomes of a message: `disconnect` cuts the link before it arrives. */
export type FrameFate = 'deliver' | 'drop' | 'duplicate' | 'disconnect' | { readonly delayMs: number };

/** What goes wrong between runner and control plane, in both directions alike. Numbers count each type of message apart. */
export interface Faults {
  /** Every nth message is lost; 2 or more. Default: none. */
  readonly dropEvery?: number | undefined;
  /** Every nth message arrives twice. Default: none. */
  readonly duplicateEvery?: number | undefined;
  /** Share of the messages that is lost, 0 to 0.9, by the seed. Default: 0. */
  readonly dropRate?: number | undefined;
  /** Share of the messages that arrives twice, 0 to 1, by the seed. Default: 0. */
  readonly duplicateRate?: number | undefined;
  /** Messages overtake one another within `delayMs`, at least 100 ms. Default: false. */
  readonly reorder?: boolean | undefined;
  /** Time that a message takes: exactly, or between two bounds by the seed. Default: none. */
  readonly delayMs?: Duration | readonly [least: Duration, most: Duration] | undefined;
  /** Types of messages that are spared or hit: all others get through. Default: all are hit. */
  readonly only?: readonly FrameType[] | undefined;
  /** Decides for one message before all else; undefined leaves it to the members above. */
  readonly decide?: ((frame: FrameInTransit) => FrameFate | undefined) | undefined;
}

/** The copies of a message that arrive, each after so many milliseconds; and whether the link is cut. */
export interface Passage {
  readonly delaysMs: readonly number[];
  readonly cuts: boolean;
  /** Whether it may overtake and be overtaken. */
  readonly overtakes: boolean;
}

const REORDER_WITHIN_MS = 100;

/** Makes the weather of a link. */
export function createFaultPlan(faults: Faults, random: () => number): (frame: FrameInTransit) => Passage {
  checkFaults(faults);
  const [leastMs, mostMs] = delayBounds(faults);
  const delay = (): number =>
    mostMs === leastMs ? leastMs : Math.round(leastMs + (mostMs - leastMs) * random());
  const isNth = (every: number | undefined, nth: number): boolean => every !== undefined && nth % every === 0;
  const isChosen = (rate: number | undefined): boolean => rate !== undefined && rate > 0 && random() < rate;
  const overtakes = faults.reorder === true;

  const byRule = ({ nth }: FrameInTransit): Passage => {
    const isLost = isNth(faults.dropEvery, nth) || isChosen(faults.dropRate);
    const isDoubled = isNth(faults.duplicateEvery, nth) || isChosen(faults.duplicateRate);
    const delaysMs = isLost ? [] : isDoubled ? [delay(), delay()] : [delay()];
    return { delaysMs, cuts: false, overtakes };
  };
  return (frame) => {
    const fate = faults.decide?.(frame);
    if (fate === 'drop') return { delaysMs: [], cuts: false, overtakes };
    if (fate === 'disconnect') return { delaysMs: [], cuts: true, overtakes };
    if (fate === 'duplicate') return { delaysMs: [delay(), delay()], cuts: false, overtakes };
    if (fate === 'deliver') return { delaysMs: [0], cuts: false, overtakes };
    if (fate) return { delaysMs: [fate.delayMs], cuts: false, overtakes: true };
    const isHit = faults.only === undefined || faults.only.includes(frame.type);
    return isHit ? byRule(frame) : { delaysMs: [0], cuts: false, overtakes };
  };
}

function delayBounds({ delayMs = 0, reorder }: Faults): readonly [number, number] {
  const [least, most] =
    typeof delayMs === 'object'
      ? delayMs.map(toMilliseconds)
      : [toMilliseconds(delayMs), toMilliseconds(delayMs)];
  const leastMs = least ?? 0;
  const mostMs = most ?? leastMs;
  if (mostMs < leastMs)
    throw new RangeError(`faults.delayMs is from ${leastMs} to ${mostMs}: the bounds are swapped`);
  return [leastMs, reorder === true ? Math.max(mostMs, leastMs + REORDER_WITHIN_MS) : mostMs];
}

const RULES: ReadonlyArray<
  readonly [member: keyof Faults, holds: (value: number) => boolean, expected: string]
> = [
  [
    'dropEvery',
    (value) => Number.isInteger(value) && value >= 2,
    'a whole number from 2 on; disconnect() is what loses everything',
  ],
  ['duplicateEvery', (value) => Number.isInteger(value) && value >= 1, 'a whole number from 1 on'],
  ['dropRate', (value) => value >= 0 && value <= 0.9, 'a share from 0 to 0.9'],
  ['duplicateRate', (value) => value >= 0 && value <= 1, 'a share from 0 to 1'],
];

function checkFaults(faults: Faults): void {
  for (const [member, holds, expected] of RULES) {
    const value = faults[member];
    if (value === undefined || holds(Number(value))) continue;
    throw new RangeError(`faults.${member} is ${String(value)}; expected ${expected}`);
  }
}
