import type { ErrorObject } from 'ajv';
import { nearName } from '../model/near-name.js';

/** What a value is called in a schema. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function counted(count: unknown, one: string): string {
  return `${String(count)} ${one}${count === 1 ? '' : 's'}`;
}

/** Members that a schema names at the place of an error. */
function membersOf({ parentSchema }: ErrorObject): Record<string, { type?: unknown } | undefined> {
  return (parentSchema?.['properties'] ?? {}) as Record<string, { type?: unknown } | undefined>;
}

type Words = (error: ErrorObject, params: Record<string, unknown>) => string;

const listed = (values: unknown): string =>
  (Array.isArray(values) ? values : [values]).map((value) => JSON.stringify(value)).join(', ');

const unexpected = (error: ErrorObject, name: unknown): string => {
  const meant = nearName(String(name), Object.keys(membersOf(error)));
  return `is not expected here${meant === undefined ? '' : ` (did you mean ${meant}?)`}`;
};

const NONE = 'matches none of the forms that are allowed';

/** What each keyword says in plain words; the validator's own are for whoever wrote the schema. */
const WORDS: Readonly<Record<string, Words>> = {
  type: ({ data }, { type }) =>
    `expected ${Array.isArray(type) ? type.join(' or ') : String(type).replaceAll(',', ' or ')}, received ${kindOf(data)}`,
  required: (error, { missingProperty }) => {
    const type = membersOf(error)[String(missingProperty)]?.type;
    return `expected ${typeof type === 'string' ? type : 'a value'}, received undefined`;
  },
  additionalProperties: (error, { additionalProperty }) => unexpected(error, additionalProperty),
  unevaluatedProperties: (error, { unevaluatedProperty }) => unexpected(error, unevaluatedProperty),
  enum: (_, { allowedValues }) => `expected one of ${listed(allowedValues)}`,
  const: (_, { allowedValue }) => `expected ${JSON.stringify(allowedValue)}`,
  minLength: (_, { limit }) => `expected at least ${counted(limit, 'character')}`,
  maxLength: (_, { limit }) => `expected at most ${counted(limit, 'character')}`,
  minItems: (_, { limit }) => `expected at least ${counted(limit, 'item')}`,
  maxItems: (_, { limit }) => `expected at most ${counted(limit, 'item')}`,
  minProperties: (_, { limit }) => `expected at least ${counted(limit, 'member')}`,
  maxProperties: (_, { limit }) => `expected at most ${counted(limit, 'member')}`,
  minimum: (_, { limit }) => `expected at least ${String(limit)}`,
  maximum: (_, { limit }) => `expected at most ${String(limit)}`,
  exclusiveMinimum: (_, { limit }) => `expected more than ${String(limit)}`,
  exclusiveMaximum: (_, { limit }) => `expected less than ${String(limit)}`,
  multipleOf: (_, { multipleOf }) => `expected a multiple of ${String(multipleOf)}`,
  pattern: (_, { pattern }) => `expected text that matches ${String(pattern)}`,
  format: (_, { format }) => `expected a text of the format ${String(format)}`,
  uniqueItems: (_, { i, j }) => `expected items that differ; ${String(j)} and ${String(i)} are the same`,
  not: () => 'has a value that is not allowed',
  anyOf: () => NONE,
  oneOf: (_, { passingSchemas }) =>
    passingSchemas === null ? NONE : 'matches several of the forms of which one is allowed',
};

/** What is wrong at one place, in words for whoever sent the value. */
export function schemaWords(error: ErrorObject): string {
  const { keyword, message } = error;
  const words = WORDS[keyword];
  return words?.(error, error.params) ?? message ?? `does not satisfy ${keyword}`;
}
