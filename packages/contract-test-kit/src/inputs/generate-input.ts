import type { JsonSchema } from './json-schema-check.js';

/** Characters of a text and members of a list that are made at most. */
const MAX_LENGTH = 10_000;

/** Nesting beyond which only what is required is made. */
const MAX_DEPTH = 6;

type Random = () => number;

/** A small seeded generator (mulberry32): the same seed gives the same inputs everywhere. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Making {
  readonly root: JsonSchema;
  readonly random: Random;
  readonly depth: number;
}

/** A value of each format that is often used. */
export const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-31T12:00:00.000Z',
  date: '2026-01-31',
  time: '12:00:00Z',
  duration: 'PT1M',
  email: 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/a',
  url: 'https://example.com/a',
  'uri-reference': '/a',
  uuid: '4b1a2c3d-5e6f-4a7b-8c9d-0e1f2a3b4c5d',
  regex: '^a$',
};

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

export function resolveReference(schema: JsonSchema, root: JsonSchema): JsonSchema {
  const reference = schema['$ref'];
  if (typeof reference !== 'string' || !reference.startsWith('#')) return schema;
  let target: unknown = root;
  for (const part of reference.slice(1).split('/').filter(Boolean)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    target = isSchema(target) || Array.isArray(target) ? (target as Record<string, unknown>)[key] : undefined;
  }
  return isSchema(target) ? target : schema;
}

function makeString(schema: JsonSchema, { random }: Making): string {
  const format = schema['format'];
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return FORMATS[format] ?? '';
  const min = numberOf(schema['minLength']) ?? 0;
  const max = numberOf(schema['maxLength']) ?? Math.max(min, 12);
  const length = Math.min(MAX_LENGTH, max, Math.max(min, 3 + Math.floor(random() * 6)));
  return Array.from({ length }, () => 'abcdefghijklmnopqrstuvwxyz'.charAt(Math.floor(random() * 26))).join(
    '',
  );
}

function makeNumber(schema: JsonSchema, whole: boolean): number {
  const step = numberOf(schema['multipleOf']) ?? (whole ? 1 : 0.5);
  const low = numberOf(schema['minimum']) ?? numberOf(schema['exclusiveMinimum']);
  const high = numberOf(schema['maximum']) ?? numberOf(schema['exclusiveMaximum']);
  // Small values: inputs are often durations and counts.
  const start = low ?? (high !== undefined && high < 1 ? high - step : 1);
  const first = Math.ceil(start / step) * step;
  const excluded = numberOf(schema['exclusiveMinimum']);
  return excluded !== undefined && first <= excluded ? first + step : first;
}

function makeArray(schema: JsonSchema, making: Making): unknown[] {
  const items = isSchema(schema['items']) ? schema['items'] : {};
  const least = numberOf(schema['minItems']) ?? (making.depth < MAX_DEPTH ? 1 : 0);
  const most = numberOf(schema['maxItems']) ?? least;
  return Array.from({ length: Math.min(MAX_LENGTH, least, most) }, () =>
    make(items, { ...making, depth: making.depth + 1 }),
  );
}

function makeObject(schema: JsonSchema, making: Making): Record<string, unknown> {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as string[]) : []);
  const made: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (!required.has(name) && making.depth >= 1) continue;
    if (isSchema(property)) made[name] = make(property, { ...making, depth: making.depth + 1 });
  }
  for (const name of required) if (!(name in made)) made[name] = 'value';
  return made;
}

/** What the author of a schema gives as a value: an example, a default, a constant. */
function givenValue(schema: JsonSchema): { readonly value: unknown } | undefined {
  if ('const' in schema) return { value: schema['const'] };
  const examples = schema['examples'];
  if (Array.isArray(examples) && examples.length > 0) return { value: examples[0] };
  if ('default' in schema) return { value: schema['default'] };
  const choices = schema['enum'];
  return Array.isArray(choices) && choices.length > 0 ? { value: choices[0] } : undefined;
}

function typeOf(schema: JsonSchema): string {
  const type = Array.isArray(schema['type'])
    ? schema['type'].find((name) => name !== 'null')
    : schema['type'];
  if (typeof type === 'string') return type;
  if (isSchema(schema['properties']) || Array.isArray(schema['required'])) return 'object';
  return 'items' in schema ? 'array' : 'string';
}

/** The first branch of a union, and all parts of an intersection, laid over the schema. */
export function flatten(schema: JsonSchema, root: JsonSchema, depth = 0): JsonSchema {
  if (depth > MAX_DEPTH) return {};
  const resolved = resolveReference(schema, root);
  const branch = [resolved['anyOf'], resolved['oneOf']].flatMap((list) =>
    Array.isArray(list) ? list.slice(0, 1) : [],
  );
  const parts = [...branch, ...(Array.isArray(resolved['allOf']) ? resolved['allOf'] : [])].filter(isSchema);
  return parts.reduce<JsonSchema>((whole, part) => {
    const inner = flatten(part, root, depth + 1);
    return {
      ...whole,
      ...inner,
      properties: {
        ...(isSchema(whole['properties']) ? whole['properties'] : {}),
        ...(isSchema(inner['properties']) ? inner['properties'] : {}),
      },
      required: [
        ...((whole['required'] as string[] | undefined) ?? []),
        ...((inner['required'] as string[] | undefined) ?? []),
      ],
    };
  }, resolved);
}

function make(schema: JsonSchema, making: Making): unknown {
  const flat = making.depth > MAX_DEPTH * 2 ? {} : flatten(schema, making.root);
  const given = givenValue(flat);
  if (given) return given.value;
  switch (typeOf(flat)) {
    case 'object':
      return makeObject(flat, making);
    case 'array':
      return makeArray(flat, making);
    case 'integer':
      return makeNumber(flat, true);
    case 'number':
      return makeNumber(flat, false);
    case 'boolean':
      return true;
    case 'null':
      return null;
    default:
      return makeString(flat, making);
  }
}

/** Makes a value for a JSON Schema. Patterns and dependencies are not solved: check what comes out. */
export function generateInput(schema: JsonSchema, seed: number): unknown {
  return make({ type: 'object', ...schema }, { root: schema, random: seededRandom(seed), depth: 0 });
}
