import { flatten, isSchema, numberOf } from './generate-input.js';
import { valueFaults, type JsonSchema } from './json-schema-check.js';

export type Input = Readonly<Record<string, unknown>>;

/** One way to change an input in one place. */
export type Change = (input: Input) => Input;

const OF_EACH_TYPE: readonly unknown[] = ['text', 42, 1.5, true, null, [], {}];
/** Longer texts are not made for the sake of a limit. */
const LONGEST = 10_000;

const setting =
  (name: string, value: unknown): Change =>
  (input) => ({ ...input, [name]: value });

const leavingOut =
  (name: string): Change =>
  ({ [name]: _, ...rest }) =>
    rest;

/** Values at the limits of a member's schema, and just outside. */
function nearLimits(schema: JsonSchema): unknown[] {
  const bounds = ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum'].flatMap(
    (name) => numberOf(schema[name]) ?? [],
  );
  const lengths = ['minLength', 'maxLength'].flatMap((name) => numberOf(schema[name]) ?? []);
  return [
    ...bounds.flatMap((bound) => [bound, bound - 1, bound + 1]),
    ...lengths
      .flatMap((length) => [length, length - 1, length + 1])
      .filter((length) => length >= 0 && length <= LONGEST)
      .map((length) => 'x'.repeat(length)),
    ...(Array.isArray(schema['enum']) ? ['none of them'] : ['']),
  ];
}

interface Member {
  readonly name: string;
  readonly schema: JsonSchema;
}

function readMembers(schema: JsonSchema): {
  readonly members: readonly Member[];
  readonly required: readonly string[];
  readonly isClosed: boolean;
} {
  const flat = flatten(schema, schema);
  const properties = isSchema(flat['properties']) ? flat['properties'] : {};
  const definitions = { $defs: schema['$defs'] ?? {}, definitions: schema['definitions'] ?? {} };
  return {
    // One object for all values of a member: schemas are compiled once each.
    members: Object.entries(properties).flatMap(([name, property]) =>
      isSchema(property) ? [{ name, schema: { ...definitions, ...property } }] : [],
    ),
    required: Array.isArray(flat['required']) ? (flat['required'] as string[]) : [],
    isClosed: flat['additionalProperties'] === false,
  };
}

/** Changes after which a schema refuses an input: limits and missing members first, then other types. */
export function spoilingChanges(schema: JsonSchema): readonly Change[] {
  const { members, required, isClosed } = readMembers(schema);
  const wrong = (values: (member: JsonSchema) => readonly unknown[]): Change[] =>
    members.flatMap(({ name, schema: member }) =>
      values(member)
        .filter((value) => valueFaults(member, value, 'lenient').length > 0)
        .map((value) => setting(name, value)),
    );
  const closed = isClosed ? [setting('kitUnknownMember', true)] : [];
  return [...wrong(nearLimits), ...required.map(leavingOut), ...closed, ...wrong(() => OF_EACH_TYPE)];
}

/** Changes to what a schema just accepts: empty texts, values at limits. */
export function edgeChanges(schema: JsonSchema): readonly Change[] {
  return readMembers(schema).members.flatMap(({ name, schema: member }) =>
    nearLimits(member)
      .filter((value) => valueFaults(member, value).length === 0)
      .map((value) => setting(name, value)),
  );
}
