import * as fc from 'fast-check';
import { flatten, FORMATS, isSchema, numberOf, resolveReference } from './generate-input.js';
import type { JsonSchema } from './json-schema-check.js';

/** Where a schema sets no upper limit: members of a list, characters of a text, and how far a number goes up. */
const LOOSE = { items: 4, characters: 24, range: 1_000 };
/** What is made at most, whatever a schema allows. */
const MOST = { items: 50, characters: 2_000 };
/** As long as the limits allow: left to itself, fast-check seldom goes beyond ten. */
const SIZE = 'max' as const;

/** Nesting beyond which only what is required is made. */
const MAX_DEPTH = 6;

interface Place {
  readonly root: JsonSchema;
  readonly depth: number;
}

type Making = (schema: JsonSchema, place: Place) => fc.Arbitrary<unknown>;

const deeper = ({ root, depth }: Place): Place => ({ root, depth: depth + 1 });

function textOf(schema: JsonSchema): fc.Arbitrary<string> {
  const { format, pattern } = schema;
  if (typeof format === 'string' && Object.hasOwn(FORMATS, format)) return fc.constant(FORMATS[format] ?? '');
  const minLength = Math.min(numberOf(schema['minLength']) ?? 0, MOST.characters);
  const most = numberOf(schema['maxLength']) ?? minLength + LOOSE.characters;
  const maxLength = Math.max(minLength, Math.min(most, MOST.characters));
  if (typeof pattern === 'string')
    return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength, size: SIZE });
  const limits = { minLength, maxLength, size: SIZE };
  // Plain text mostly; also every other character that JSON can carry.
  return fc.oneof(
    { weight: 3, arbitrary: fc.string({ ...limits, unit: 'grapheme-ascii' }) },
    { weight: 1, arbitrary: fc.string({ ...limits, unit: 'binary' }) },
  );
}

function wholeNumberOf(schema: JsonSchema): fc.Arbitrary<number> {
  const step = numberOf(schema['multipleOf']) ?? 1;
  const above = numberOf(schema['exclusiveMinimum']);
  const below = numberOf(schema['exclusiveMaximum']);
  const low = numberOf(schema['minimum']) ?? (above === undefined ? undefined : above + 1);
  const high = numberOf(schema['maximum']) ?? (below === undefined ? undefined : below - 1);
  const top = high === undefined ? Infinity : Math.floor(high / step);
  const least = low === undefined ? Math.min(0, top) : Math.ceil(low / step);
  // Small numbers: they are often durations and counts.
  const most = Math.min(top, least + LOOSE.range);
  return fc.integer({ min: least, max: Math.max(least, most) }).map((count) => count * step);
}

function numberIn(schema: JsonSchema): fc.Arbitrary<number> {
  if (numberOf(schema['multipleOf']) !== undefined) return wholeNumberOf(schema);
  const low = numberOf(schema['minimum']) ?? numberOf(schema['exclusiveMinimum']) ?? 0;
  const high = numberOf(schema['maximum']) ?? numberOf(schema['exclusiveMaximum']) ?? low + LOOSE.range;
  return (
    fc
      .double({ min: Math.min(low, high), max: Math.max(low, high), noNaN: true })
      // JSON knows no -0.
      .map((value) => (value === 0 ? 0 : value))
  );
}

const listOf: Making = (schema, place) => {
  const { prefixItems, items } = schema;
  if (Array.isArray(prefixItems))
    return fc.tuple(...prefixItems.filter(isSchema).map((item) => valueOf(item, deeper(place))));
  const least = Math.min(numberOf(schema['minItems']) ?? 0, MOST.items);
  const most =
    place.depth > MAX_DEPTH
      ? least
      : Math.min(numberOf(schema['maxItems']) ?? least + LOOSE.items, MOST.items);
  const limits = { minLength: least, maxLength: Math.max(least, most), size: SIZE };
  const item = isSchema(items) ? valueOf(items, deeper(place)) : fc.string({ maxLength: 3 });
  return schema['uniqueItems'] === true
    ? fc.uniqueArray(item, { ...limits, selector: (value) => JSON.stringify(value) })
    : fc.array(item, limits);
};

const membersOf: Making = (schema, place) => {
  const properties = isSchema(schema['properties']) ? schema['properties'] : {};
  const required = Array.isArray(schema['required']) ? (schema['required'] as string[]) : [];
  const made = Object.entries(properties).flatMap(([name, property]) =>
    isSchema(property) && (place.depth < MAX_DEPTH || required.includes(name))
      ? [[name, valueOf(property, deeper(place))] as const]
      : [],
  );
  const unknown = required.filter((name) => !Object.hasOwn(properties, name));
  const members = Object.fromEntries([
    ...made,
    ...unknown.map((name) => [name, fc.constant('value')] as const),
  ]);
  return fc.record(members, { requiredKeys: required.filter((name) => Object.hasOwn(members, name)) });
};

const BY_TYPE: Readonly<Record<string, Making>> = {
  object: membersOf,
  array: listOf,
  string: textOf,
  integer: wholeNumberOf,
  number: numberIn,
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
};

function typesOf(schema: JsonSchema): readonly string[] {
  const { type } = schema;
  const named = (Array.isArray(type) ? type : [type]).filter(
    (name): name is string => typeof name === 'string' && Object.hasOwn(BY_TYPE, name),
  );
  if (named.length > 0) return named;
  if (isSchema(schema['properties']) || Array.isArray(schema['required'])) return ['object'];
  return ['items' in schema ? 'array' : 'string'];
}

/** A schema for each branch of its union, with the rest of it. */
function branchesOf(schema: JsonSchema, root: JsonSchema): readonly JsonSchema[] {
  const { anyOf, oneOf, allOf, ...rest } = resolveReference(schema, root);
  const union = [anyOf, oneOf].find((list) => Array.isArray(list) && list.length > 0) as
    | unknown[]
    | undefined;
  const parts = Array.isArray(allOf) ? allOf : [];
  return (union ?? [{}]).map((branch) => flatten({ ...rest, allOf: [...parts, branch] }, root));
}

function valueOf(schema: JsonSchema, place: Place): fc.Arbitrary<unknown> {
  if (place.depth > MAX_DEPTH * 2) return fc.constant({});
  const choices = branchesOf(schema, place.root).flatMap((branch): fc.Arbitrary<unknown>[] => {
    if ('const' in branch) return [fc.constant(branch['const'])];
    const { enum: values } = branch;
    if (Array.isArray(values) && values.length > 0) return [fc.constantFrom(...(values as unknown[]))];
    return typesOf(branch).map((type) => (BY_TYPE[type] ?? textOf)(branch, place));
  });
  return fc.oneof(...choices);
}

/**
 * Values for an input schema, to be drawn and shrunk by fast-check. What JSON Schema can say is not all solved: check
 * what is drawn.
 * @returns undefined where nothing can be drawn, such as for a pattern that is no regular expression of JavaScript
 */
export function inputArbitrary(schema: JsonSchema): fc.Arbitrary<unknown> | undefined {
  try {
    return valueOf({ type: 'object', ...schema }, { root: schema, depth: 0 });
  } catch {
    // A schema that contradicts itself, or a pattern of another dialect: it is left to the author's examples.
    return undefined;
  }
}
