import { types } from 'node:util';

/** What the copies of one value know of one another: what is in it twice, or within itself, stays so. */
type Seen = Map<object, unknown>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** What `JSON.stringify` would look at in place of a value. Dates are kept: a schema may want them. */
function spokenFor(value: unknown, key: string): unknown {
  if (!isObject(value) && typeof value !== 'bigint' && typeof value !== 'function') return value;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON !== 'function' || toJSON === Date.prototype.toJSON) return value;
  return toJSON.call(value, key) as unknown;
}

function copyMembers(value: object, seen: Seen): object {
  const copied = {};
  seen.set(value, copied);
  for (const key of Object.keys(value)) {
    const member = copy((value as Record<string, unknown>)[key], key, seen);
    // defineProperty: a member called __proto__ stays a member.
    Object.defineProperty(copied, key, {
      value: member,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copied;
}

function copyItems(value: readonly unknown[], seen: Seen): unknown[] {
  const copied: unknown[] = [];
  seen.set(value, copied);
  value.forEach((item, index) => (copied[index] = copy(item, String(index), seen)));
  copied.length = value.length;
  return copied;
}

function copyMap(value: ReadonlyMap<unknown, unknown>, seen: Seen): Map<unknown, unknown> {
  const copied = new Map<unknown, unknown>();
  seen.set(value, copied);
  for (const [key, item] of value) copied.set(copy(key, '', seen), copy(item, '', seen));
  return copied;
}

function copySet(value: ReadonlySet<unknown>, seen: Seen): Set<unknown> {
  const copied = new Set<unknown>();
  seen.set(value, copied);
  for (const item of value) copied.add(copy(item, '', seen));
  return copied;
}

function copyObject(value: object, seen: Seen): unknown {
  if (seen.has(value)) return seen.get(value);
  if (types.isBoxedPrimitive(value)) return value.valueOf();
  if (value instanceof Date) return new Date(value.getTime());
  if (Array.isArray(value)) return copyItems(value, seen);
  if (value instanceof Map) return copyMap(value, seen);
  if (value instanceof Set) return copySet(value, seen);
  return types.isArrayBufferView(value) || types.isAnyArrayBuffer(value) ? value : copyMembers(value, seen);
}

function copy(given: unknown, key: string, seen: Seen): unknown {
  const value = spokenFor(given, key);
  if (isObject(value)) return copyObject(value, seen);
  return typeof value === 'function' || typeof value === 'symbol' ? undefined : value;
}

/**
 * Copies a value into what a structured clone carries without a change that `JSON.stringify` would not make: an object
 * of a class that says how it is written is written so, where a clone would keep its fields and forget the class.
 * Dates, maps, sets, bigints and typed arrays stay what they are, for the schema that the value is checked with.
 * @throws TypeError for a function or symbol, and whatever getters and `toJSON` of the value throw
 */
export function toPortable(value: unknown): unknown {
  const copied = copy(value, '', new Map());
  if (copied !== undefined || value === undefined || isObject(value)) return copied;
  throw new TypeError(`it is a ${typeof value}`);
}
