import type { Versions } from './merge-text.js';

export interface MergedManifest {
  readonly text: string;
  /** Keys that both changed, such as `dependencies.zod`: yours stay. */
  readonly kept: readonly string[];
}

interface JsonObject {
  readonly [key: string]: unknown;
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

function mergeObjects(
  { base, mine, next }: { base: JsonObject; mine: JsonObject; next: JsonObject },
  path: string,
  kept: string[],
): JsonObject {
  const merged: Record<string, unknown> = {};
  for (const key of new Set([...Object.keys(mine), ...Object.keys(next)])) {
    const [was, has, will] = [base[key], mine[key], next[key]];
    const name = path === '' ? key : `${path}.${key}`;
    const value = mergeValues({ was, has, will }, name, kept);
    if (value !== undefined) merged[key] = value;
  }
  return merged;
}

function mergeValues(
  { was, has, will }: { was: unknown; has: unknown; will: unknown },
  name: string,
  kept: string[],
): unknown {
  if (same(has, will) || same(was, will)) return has;
  if (same(was, has)) return will;
  if (isObject(has) && isObject(will))
    return mergeObjects({ base: isObject(was) ? was : {}, mine: has, next: will }, name, kept);
  kept.push(name);
  return has;
}

/** Merges a package.json key by key: markers have no place in it, so where both changed a key, the person's stays. */
export function mergeManifest({ base, mine, next }: Versions): MergedManifest {
  const [was, has, will] = [base, mine, next].map((text) => JSON.parse(text) as JsonObject);
  const kept: string[] = [];
  const merged = mergeObjects({ base: was ?? {}, mine: has ?? {}, next: will ?? {} }, '', kept);
  return { text: `${JSON.stringify(merged, null, 2)}\n`, kept };
}
