import { REDACTED } from '@controlplane/contracts';

/** Values of one execution that must not leave the runner. */
export interface Secrets {
  /** From now on the value is hidden; of a text with several lines also each longer line. */
  add(value: string): void;
  /** The text with every secret replaced. */
  hide(text: string): string;
  /** A copy of a JSON value with the secrets in its texts and keys replaced. */
  hideIn<T>(value: T): T;
  /** The same for JSON that is written already. */
  hideInJson(json: string): string;
  /** Units at the end of a text that may be the beginning of a secret. */
  unfinished(text: string): number;
}

/** A line of a secret that is shorter than this says too little to be hidden by itself: it may be a brace. */
const MIN_LINE_LENGTH = 8;

/** Replaces every text in a JSON value, keys and all; a number that is a secret becomes a text. */
function mapTexts(value: unknown, hide: (text: string) => string): unknown {
  if (typeof value === 'string') return hide(value);
  if (typeof value === 'number') {
    const spelled = String(value);
    const hidden = hide(spelled);
    return hidden === REDACTED ? hidden : value;
  }
  if (Array.isArray(value)) return value.map((item) => mapTexts(item, hide));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [hide(key), mapTexts(member, hide)]),
  );
}

/** Makes an empty set of secrets. */
export function createSecrets(): Secrets {
  /** Longest first: one may hold another. */
  let values: string[] = [];

  const hide = (text: string): string => {
    let hidden = text;
    for (const value of values) hidden = hidden.replaceAll(value, REDACTED);
    return hidden;
  };
  // By its values, not in its text: there a secret may be a number, or a part of the syntax.
  const hideInJson = (json: string): string => JSON.stringify(mapTexts(JSON.parse(json), hide));

  return {
    add(value) {
      const lines = value.split(/\r?\n/).filter((line) => line.length >= MIN_LINE_LENGTH);
      const all = new Set([...values, value, ...lines].filter((text) => text.trim() !== ''));
      values = [...all].sort((one, other) => other.length - one.length);
    },
    hide,
    hideInJson,
    hideIn: <T>(value: T): T => {
      const json = JSON.stringify(value) as string | undefined;
      return json === undefined ? value : (JSON.parse(hideInJson(json)) as T);
    },
    unfinished(text) {
      let longest = 0;
      for (const value of values) {
        for (let length = Math.min(value.length - 1, text.length); length > longest; length--) {
          if (text.endsWith(value.slice(0, length))) longest = length;
        }
      }
      return longest;
    },
  };
}
