import { valueFaults, type JsonSchema } from './json-schema-check.js';

/** A payload that a schema refuses. */
export interface SpoiledInput {
  readonly payload: Readonly<Record<string, unknown>>;
  /** The member that is wrong, where it is one. */
  readonly member?: string;
}

function otherType(value: unknown): unknown[] {
  return typeof value === 'string' ? [42, { not: 'text' }] : ['not that', { not: 'that' }, null, -1];
}

function* candidates(schema: JsonSchema, valid: Readonly<Record<string, unknown>>): Generator<SpoiledInput> {
  for (const [member, value] of Object.entries(valid)) {
    for (const wrong of otherType(value)) yield { payload: { ...valid, [member]: wrong }, member };
  }
  for (const member of Object.keys(valid)) {
    const { [member]: _, ...rest } = valid;
    yield { payload: rest, member };
  }
  yield { payload: {} };
  yield { payload: { ...valid, kitUnknownMember: true } };
  if (typeof schema['maxProperties'] === 'number') {
    yield {
      payload: Object.fromEntries(
        Array.from({ length: schema['maxProperties'] + 1 }, (_, index) => [`m${index}`, index]),
      ),
    };
  }
}

/**
 * Changes a valid input so that the schema refuses it.
 * @returns undefined when the schema refuses none of the changes: it accepts any object
 */
export function spoilInput(
  schema: JsonSchema,
  valid: Readonly<Record<string, unknown>>,
): SpoiledInput | undefined {
  for (const candidate of candidates(schema, valid)) {
    if (valueFaults(schema, candidate.payload).length > 0) return candidate;
  }
  return undefined;
}
