import { isSecretName, REDACTED, redactText, type JsonObject } from '@controlplane/contracts';

const MAX_DEPTH = 32;

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
      isSecretName(name) ? REDACTED : redactValue(member, depth),
    ]),
  );
}

/** Hides members that are secrets by their name, and what looks like a secret in texts. */
export function redactFields(fields: JsonObject): JsonObject {
  return redactMembers(fields, 0);
}
