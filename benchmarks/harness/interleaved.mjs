// Compares variants by rounds that alternate between them, so that what else the machine does hits all alike.
import { quiet } from './quiet.mjs';

/** @param {number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * Runs every variant once a round, each on a machine that rests; odd rounds in reverse order.
 * @template T
 * @param {Record<string, () => Promise<T>>} variants
 * @param {number} rounds
 * @param {{ rest?: () => Promise<void> }} [options] rest: waits for the machine to rest; default as {@link quiet}
 * @returns {Promise<Record<string, T[]>>} the results of each variant, in order of the rounds
 */
export async function interleaved(variants, rounds, { rest = quiet } = {}) {
  const names = Object.keys(variants);
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      await rest();
      results[name].push(await variants[name]());
    }
  }
  return results;
}

/**
 * Median, over the rounds, of one variant's value divided by the other's of the same round.
 * @param {number[]} values
 * @param {number[]} base
 */
export function ratio(values, base) {
  return median(values.map((value, round) => value / base[round]));
}
