import type { RunnerCapability } from '@controlplane/contracts';
import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec';
import { zodToJsonSchema } from 'zod-to-json-schema';
import { toJSONSchema, type $ZodType, type ToJSONSchemaParams } from 'zod/v4/core';
import { RunnerError } from '../errors/runner-error.js';
import type { Capability, JsonSchema } from './capability.js';

/** Whose schema is converted: for messages, and because input and output forms differ. */
export interface SchemaPlace {
  readonly capabilityId: string;
  readonly side: 'input' | 'output';
}

type Override = NonNullable<ToJSONSchemaParams['override']>;

/** The words for both conversions of Zod 4: by the schema itself and by zod/v4/core. */
function zod4Params(side: SchemaPlace['side']): {
  io: 'input' | 'output';
  unrepresentable: 'any';
  override: Override;
} {
  return {
    io: side,
    unrepresentable: 'any',
    override({ zodSchema, jsonSchema, path }) {
      const definition = zodSchema._zod.def;
      if (definition.type === 'date') {
        if (side === 'input' && !('coerce' in definition && definition.coerce === true)) {
          throw new Error(
            `${path.join('.')} is a Date, which JSON cannot carry: use z.coerce.date() or z.iso.datetime()`,
          );
        }
        Object.assign(jsonSchema, { type: 'string', format: 'date-time' });
      }
      // The output form closes every object; a later minor version could then add nothing.
      if (definition.type === 'object' && !('catchall' in definition && definition.catchall)) {
        delete jsonSchema.additionalProperties;
      }
    },
  };
}

function convert(schema: StandardSchemaV1, side: SchemaPlace['side']): JsonSchema | undefined {
  const standard = schema['~standard'];
  const isZod4 = '_zod' in schema;
  if ('jsonSchema' in standard) {
    const { jsonSchema } = standard as StandardJSONSchemaV1.Props;
    const libraryOptions = isZod4 ? { libraryOptions: zod4Params(side) } : {};
    return jsonSchema[side]({ target: 'draft-2020-12', ...libraryOptions });
  }
  if (isZod4) return { ...toJSONSchema(schema as unknown as $ZodType, zod4Params(side)) };
  if (standard.vendor === 'zod' && '_def' in schema) {
    const converted = zodToJsonSchema(schema as unknown as Parameters<typeof zodToJsonSchema>[0], {
      target: 'jsonSchema2019-09',
      removeAdditionalStrategy: 'strict',
      $refStrategy: 'none',
    });
    return asDraft2020({ ...converted }) as JsonSchema;
  }
  return undefined;
}

/** Tuples are written `prefixItems` + `items` since draft 2020-12, `items` + `additionalItems` before. */
function asDraft2020(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asDraft2020);
  if (typeof schema !== 'object' || schema === null) return schema;
  const entries = Object.entries(schema).map(
    ([key, value]: [string, unknown]) => [key, asDraft2020(value)] as const,
  );
  const { items, additionalItems, ...rest } = Object.fromEntries(entries);
  if (items === undefined) return Object.fromEntries(entries);
  if (!Array.isArray(items)) return { ...rest, items };
  return {
    ...rest,
    prefixItems: items,
    ...(additionalItems === undefined ? {} : { items: additionalItems }),
  };
}

/** A root `.meta({ id })` hides the schema behind a reference: the root is written out. */
function withoutRootReference(schema: JsonSchema): JsonSchema {
  const { $ref, $defs, ...rest } = schema;
  const name = typeof $ref === 'string' ? /^#\/\$defs\/([^/]+)$/.exec($ref)?.[1] : undefined;
  const target = name === undefined ? undefined : ($defs as Record<string, object> | undefined)?.[name];
  return target ? { ...target, ...rest, $defs } : schema;
}

const REMEDIES = {
  input: 'give `inputJsonSchema` (for Valibot: toJsonSchema(schema) of @valibot/to-json-schema)',
  output: 'give `outputJsonSchema`, or leave `output` out where the result need not be checked',
} as const;

/**
 * The JSON Schema (draft 2020-12) of a schema of any library.
 * @param schema - a Standard Schema
 * @param place - whose it is, for the message
 * @throws RunnerError `INVALID_CAPABILITY` when there is none, or when it would be empty and accept anything
 */
export function schemaToJson(schema: StandardSchemaV1, place: SchemaPlace): JsonSchema {
  const { capabilityId, side } = place;
  const refuse = (problem: string, cause?: unknown): RunnerError =>
    new RunnerError(
      'INVALID_CAPABILITY',
      `capability "${capabilityId}": ${side} ${problem}; ${REMEDIES[side]}`,
      { cause },
    );
  let converted: JsonSchema | undefined;
  try {
    converted = convert(schema, side);
  } catch (error) {
    throw refuse(`has no JSON Schema (${error instanceof Error ? error.message : String(error)})`, error);
  }
  if (!converted) throw refuse(`is a schema of ${schema['~standard'].vendor}, which offers no JSON Schema`);
  const { $schema: _dialect, ...members } = withoutRootReference(converted);
  if (Object.keys(members).length === 0) throw refuse('became an empty JSON Schema, which accepts anything');
  return members;
}

/**
 * A capability as it is published.
 * @param capability - the capability
 * @param runnerSlots - published as `maxConcurrency` where the capability names none
 */
export function describeCapability(capability: Capability, runnerSlots: number): RunnerCapability {
  return {
    id: capability.id,
    name: capability.name,
    version: capability.version,
    description: capability.description,
    inputSchema: { ...capability.inputJsonSchema },
    outputSchema: { ...capability.outputJsonSchema },
    supportedJobTypes: [...capability.jobTypes],
    maxConcurrency: capability.maxConcurrency ?? runnerSlots,
    timeoutMs: capability.timeoutMs,
    resourceRequirements: { gpu: false },
    effects: capability.effects,
    announcesWrites: capability.announcesWrites,
    ...(capability.rateLimit && { rateLimit: capability.rateLimit }),
    ...(capability.secrets.length > 0 && { secrets: [...capability.secrets] }),
  };
}
