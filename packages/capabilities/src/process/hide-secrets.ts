const REDACTED = '[redacted]';

/** Makes what replaces values of secrets in texts; longest first, because one may hold another. */
export function createHiding(values: readonly string[]): {
  readonly text: (text: string) => string;
  /** In every text of a JSON value, names of members too. */
  readonly json: (value: unknown) => unknown;
  /** Bytes of the longest. */
  readonly longestBytes: number;
} {
  const secrets = values
    .filter((value) => value.trim() !== '')
    .sort((one, other) => other.length - one.length);
  const text = (shown: string): string =>
    secrets.reduce((left, value) => left.replaceAll(value, REDACTED), shown);
  const json = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value);
    if (Array.isArray(value)) return value.map(json);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [text(key), json(member)]));
  };
  return {
    text,
    json: (value) => (secrets.length === 0 ? value : json(value)),
    longestBytes: Math.max(0, ...secrets.map((value) => Buffer.byteLength(value))),
  };
}
