import { expect } from 'vitest';

/** Puts what vitest compares with in the place of `<text>`, `<number>` and `<any>`. */
export function recorded(value: unknown): unknown {
  if (value === '<text>') return expect.any(String);
  if (value === '<number>') return expect.any(Number);
  if (value === '<any>') return expect.anything();
  if (Array.isArray(value)) return value.map(recorded);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, recorded(member)]));
}
