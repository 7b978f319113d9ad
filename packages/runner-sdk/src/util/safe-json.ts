/** A value that `JSON.stringify` writes without surprises. */
export type SafeJson = string | number | boolean | null | SafeJson[] | { [key: string]: SafeJson };

const SECRET_KEY = /pass(word|wd|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key/i;
const SECRET_TEXT =
  /\b((?:[\w-]*(?:password|passwd|secret|token|api[-_]?key))["']?\s*[=:]\s*["']?|authorization["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?|bearer\s+)[^\s"',;&]+/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi;

export const REDACTED = '[redacted]';

const MAX_DEPTH = 6;
const MAX_MEMBERS = 100;
const MAX_TEXT = 8 * 1024;

/** Whether a member of this name is likely to hold a secret. */
export function isSecretKey(key: string): boolean {
  return SECRET_KEY.test(key);
}

/** Replaces what looks like a secret in free text: `password=…`, `Bearer …`, the password of a URL. */
export function redactText(text: string): string {
  return text.replace(SECRET_TEXT, `$1${REDACTED}`).replace(URL_PASSWORD, `$1${REDACTED}@`);
}

/** Cuts a text to a length in UTF-16 units without leaving half a character. */
export function truncateText(text: string, maxLength: number): string {
  if (text.length <= maxLength) return text;
  const last = text.charCodeAt(maxLength - 1);
  const end = last >= 0xd800 && last <= 0xdbff ? maxLength - 1 : maxLength;
  return `${text.slice(0, end)}… [${text.length - end} more]`;
}

/**
 * Copies a value into plain JSON: bounded in depth and width, secrets redacted by the name of their key.
 * Never throws, whatever the value does: cycles, getters and proxies that throw, bigints, functions.
 */
export function toSafeJson(value: unknown): SafeJson {
  return copy(value, 0, []);
}

function copy(value: unknown, depth: number, above: readonly object[]): SafeJson {
  switch (typeof value) {
    case 'string':
      return truncateText(value, MAX_TEXT);
    case 'number':
      return Number.isFinite(value) ? value : String(value);
    case 'boolean':
      return value;
    case 'bigint':
    case 'symbol':
      return String(value);
    case 'function':
      return '[function]';
    case 'undefined':
      return null;
    case 'object':
      return value === null ? null : copyObject(value, depth, above);
  }
}

function copyObject(value: object, depth: number, above: readonly object[]): SafeJson {
  if (above.includes(value)) return '[circular]';
  if (depth >= MAX_DEPTH) return '[deeper]';
  try {
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
    if (value instanceof Error) return redactText(truncateText(`${value.name}: ${value.message}`, MAX_TEXT));
    const path = [...above, value];
    if (Array.isArray(value)) return value.slice(0, MAX_MEMBERS).map((item) => copy(item, depth + 1, path));
    return copyMembers(value, depth, path);
  } catch {
    return '[unreadable]';
  }
}

function copyMembers(value: object, depth: number, path: readonly object[]): SafeJson {
  const copied: { [key: string]: SafeJson } = {};
  for (const key of Object.keys(value).slice(0, MAX_MEMBERS)) {
    const member = readMember(value, key);
    if (member === undefined) continue;
    // defineProperty: a member called __proto__ stays a member.
    Object.defineProperty(copied, key, {
      value: isSecretKey(key) ? REDACTED : copy(member, depth + 1, path),
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
