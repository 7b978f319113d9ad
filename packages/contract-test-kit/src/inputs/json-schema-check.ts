/**
 * @module
 * Inputs for a runner's own capabilities, made from their JSON Schemas: one that the schema accepts and
 * one that it refuses. Deterministic for a seed. Imports ajv and contracts alone.
 */
import { Ajv } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

export type JsonSchema = Readonly<Record<string, unknown>>;

type Compiled = WeakMap<JsonSchema, ValidateFunction | Error>;

/** With what `format` says, and without: many implementations take it for a remark. */
const COMPILED = { strict: new WeakMap() as Compiled, lenient: new WeakMap() as Compiled } as const;
type Reading = keyof typeof COMPILED;

/** Draft 2020-12, which is what contracts publish, and draft 7, which many libraries still write. */
const DRAFTS = [Ajv2020, Ajv] as const;

function compileAs(
  Draft: (typeof DRAFTS)[number],
  schema: JsonSchema,
  reading: Reading,
): ValidateFunction | Error {
  // An instance for each: two capabilities may use the same $id.
  const ajv = new Draft({ strict: false, allErrors: true, validateFormats: reading === 'strict' });
  ajvFormats.default(ajv);
  // Drafts differ little in what runners use; a foreign $schema alone would make ajv refuse.
  const { $schema: _, ...body } = schema;
  try {
    return ajv.compile(body);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function compile(schema: JsonSchema, reading: Reading = 'strict'): ValidateFunction | Error {
  const known = COMPILED[reading].get(schema);
  if (known) return known;
  const isOld = /draft-0[67]/.test(String(schema['$schema']));
  const [named, other] = isOld ? ([Ajv, Ajv2020] as const) : DRAFTS;
  const first = compileAs(named, schema, reading);
  const second = first instanceof Error ? compileAs(other, schema, reading) : first;
  const result = second instanceof Error ? first : second;
  COMPILED[reading].set(schema, result);
  return result;
}

/** Why a schema is no JSON Schema; undefined when it is one. */
export function schemaFault(schema: JsonSchema): string | undefined {
  const result = compile(schema);
  return result instanceof Error ? result.message : undefined;
}

const describe = (error: ErrorObject): string =>
  `${error.instancePath || '(root)'} ${error.message ?? error.keyword}`;

/**
 * What a schema says against a value; empty when it accepts it, or is itself broken.
 * @param reading - `lenient` takes `format` for a remark. Default: strict
 */
export function valueFaults(
  schema: JsonSchema,
  value: unknown,
  reading: Reading = 'strict',
): readonly string[] {
  const validate = compile(schema, reading);
  if (validate instanceof Error) return [];
  try {
    return validate(value) ? [] : (validate.errors ?? []).map(describe);
  } catch (error) {
    // A schema that contains itself without end.
    return [`(root) cannot be checked: ${String(error)}`];
  }
}
