import { isSecretName, REDACTED, redactText } from '@controlplane/contracts';

/** A value that `JSON.stringify` writes without surprises. */
export type SafeJson = string | number | boolean | null | SafeJson[] | { [key: string]: SafeJson };

const MAX_DEPTH = 6;
const MAX_MEMBERS = 100;
const MAX_TEXT = 8 * 1024;
const MAX_KEY = 256;
const MAX_MESSAGE = 2000;

/** Characters of one copy as a whole: a graph whose parts are shared would grow by its width at every level. */
const MAX_TOTAL = 256 * 1024;
const NODE_COST = 8;

/** Where a copy has come to. */
interface Walk {
  readonly depth: number;
  readonly above: readonly object[];
  readonly budget: { left: number };
}

/** Cuts a text to a length in UTF-16 units without leaving half a character. */
export function truncateText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.charCodeAt(maxLength - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? maxLength - 1 : maxLength;
  return `${text.slice(0, end)}… [${text.length - end} more]`;
}

/**
 * Copies a value into plain JSON: bounded in depth, width and as a whole, secrets redacted by the name of their key.
 * Never throws, whatever the value does: cycles, getters and proxies that throw, bigints, functions.
 */
export function toSafeJson(value: unknown): SafeJson {
  return copy(value, { depth: 0, above: [], budget: { left: MAX_TOTAL } });
}

function copyText(text: string, { budget }: Walk): string {
  const kept = truncateText(text, MAX_TEXT);
  budget.left -= kept.length;
  return kept;
}

function copy(value: unknown, walk: Walk): SafeJson {
  if (walk.budget.left <= 0) return '[more]';
  walk.budget.left -= NODE_COST;
  switch (typeof value) {
    case 'string':
      return copyText(value, walk);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
    case 'symbol':
      return copyText(String(value), walk);
    case 'function':
      return '[function]';
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : copyObject(value, walk);
  }
}

function copyObject(value: object, walk: Walk): SafeJson {
  const { depth, above, budget } = walk;
  if (above.includes(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deeper]';
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Error) return redactText(copyText(`${value.name}: ${value.message}`, walk));
    const below: Walk = { depth: depth + 1, above: [...above, value], budget };
    if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((item) => copy(item, below));
    return copyMembers(value, below);
  } catch {
    return '[unreadable]';
  }
}

function copyMembers(value: object, below: Walk): SafeJson {
  const copied: { [key: string]: SafeJson } = {};
  for (const key of Object.keys(value).slice(0, MAX_MEMBERS)) {
    const member = readMember(value, key);
    if (member === undefined) continue;
    below.budget.left -= Math.min(key.length, MAX_KEY);
    // defineProperty: a member called __proto__ stays a member.
    Object.defineProperty(copied, truncateText(key, MAX_KEY), {
      value: isSecretName(key) ? REDACTED : copy(member, below),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return copied;
}

/** A member's value, or a word about it where reading throws. */
export function readMember(value: object, key: string): unknown {
  try {
    return Reflect.get(value, key);
  } catch {
    return '[unreadable]';
  }
}

/** What a thrown value says, bounded and with secrets redacted. Never throws. */
export function sayThrown(thrown: unknown): string {
  const isObject = (typeof thrown === 'object' && thrown !== null) || typeof thrown === 'function';
  const said = isObject ? readMember(thrown, 'message') : thrown;
  if (typeof said === 'number' || (said === undefined && !isObject)) return String(said);
  const text =
    typeof said === 'string' && said !== '' ? said : JSON.stringify(toSafeJson(thrown)).replace(/^"|"$/g, '');
  return redactText(truncateText(text, MAX_MESSAGE));
}
