import type { JsonObject } from '@controlplane/contracts';

const REDACTED = '[redacted]';

/** Names whose values are secrets, as the runner SDK has them: what a runner let through is hidden here. */
const SECRET_NAME =
  /pass(word|wd|phrase)?$|secret|token|api[-_]?key|authorization|cookie|credential|private[-_]?key/i;
const NAMED_SECRET =
  /\b((?:[\w-]*(?:password|passwd|secret|token|api[-_]?key))["']?\s*[=:]\s*["']?|authorization["']?\s*[=:]\s*["']?(?:bearer\s+|basic\s+)?|bearer\s+)[^\s"',;&]+/gi;
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:)[^\s/@]+@/gi;

const MAX_DEPTH = 32;

/** Hides what looks like a secret in text: `password=…`, `Bearer …`, the password of a URL. */
export function redactText(text: string): string {
  return text.replace(NAMED_SECRET, `$1${REDACTED}`).replace(URL_PASSWORD, `$1${REDACTED}@`);
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper]';
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return redactMembers(value, depth + 1);
}

function redactMembers(value: object, depth: number): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_NAME.test(name) ? REDACTED : redactValue(member, depth),
    ]),
  );
}

/** Hides members that are secrets by their name, and what looks like a secret in texts. */
export function redactFields(fields: JsonObject): JsonObject {
  return redactMembers(fields, 0);
}
