/**
 * @module
 * Inputs for a runner's own capabilities, made from their JSON Schemas: one that the schema accepts and
 * one that it refuses. Deterministic for a seed. Imports ajv and contracts alone.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import ajvFormats from 'ajv-formats';

export type JsonSchema = Readonly<Record<string, unknown>>;

const compiled = new WeakMap<JsonSchema, ValidateFunction | Error>();

function compile(schema: JsonSchema): ValidateFunction | Error {
  const known = compiled.get(schema);
  if (known) return known;
  // An instance for each: two capabilities may use the same $id.
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajvFormats.default(ajv);
  // Drafts differ little in what runners use; a foreign $schema alone would make ajv refuse.
  const { $schema: _, ...body } = schema;
  let result: ValidateFunction | Error;
  try {
    result = ajv.compile(body);
  } catch (error) {
    result = error instanceof Error ? error : new Error(String(error));
  }
  compiled.set(schema, result);
  return result;
}

/** Why a schema is no JSON Schema; undefined when it is one. */
export function schemaFault(schema: JsonSchema): string | undefined {
  const result = compile(schema);
  return result instanceof Error ? result.message : undefined;
}

const describe = (error: ErrorObject): string =>
  `${error.instancePath || '(root)'} ${error.message ?? error.keyword}`;

/** What a schema says against a value; empty when it accepts it, or is itself broken. */
export function valueFaults(schema: JsonSchema, value: unknown): readonly string[] {
  const validate = compile(schema);
  if (validate instanceof Error || validate(value)) return [];
  return (validate.errors ?? []).map(describe);
}
