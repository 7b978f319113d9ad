/** A span of time: milliseconds, or a text such as `250ms`, `31s`, `10m`, `2h`, `1d`, `1m30s`. */
export type Duration = number | string;

const UNIT_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const WHOLE = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

/**
 * Turns a span of time into milliseconds.
 * @param duration - milliseconds, or a text of numbers with units
 * @throws RangeError when it is neither, or negative
 */
export function toMilliseconds(duration: Duration): number {
  if (typeof duration === 'number') {
    if (duration >= 0) return duration;
  } else if (WHOLE.test(duration)) {
    const parts = [...duration.matchAll(PART)];
    return parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (UNIT_MS[unit] ?? 0), 0);
  }
  throw new RangeError(
    `${JSON.stringify(duration)} is no span of time: give milliseconds above or equal to 0, or a text such as "31s", "250ms" or "1m30s"`,
  );
}
