import { REDACTED } from '@controlplane/contracts';

/** What is shorter is in every text: hiding it would leave nothing to read, and nothing hidden. */
const MIN_LENGTH = 4;

/** Replaces certain values wherever they stand in texts. */
export interface ValueHider {
  text(text: string): string;
  /** A copy of a JSON value, its texts and keys without the values; a number that is one becomes a text. */
  json(value: unknown): unknown;
  /** A hider of these values and of its own. */
  and(values: readonly string[]): ValueHider;
}

/** Makes a hider of the values of an execution's secrets. */
export function hideValues(values: readonly string[]): ValueHider {
  // Longest first: one may hold another.
  const hidden = [...new Set(values)]
    .filter((value) => value.trim().length >= MIN_LENGTH)
    .sort((left, right) => right.length - left.length);
  const text = (given: string): string => {
    let shown = given;
    for (const value of hidden) shown = shown.replaceAll(value, REDACTED);
    return shown;
  };
  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (typeof value === 'number') return hidden.includes(String(value)) ? REDACTED : value;
    if (Array.isArray(value)) return value.map(json);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [text(key), json(member)]));
  };
  return { text, json, and: (more) => hideValues([...hidden, ...more]) };
}
