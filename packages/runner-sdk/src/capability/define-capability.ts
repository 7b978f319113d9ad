import { DEFAULTS, DurationMs, Effects, Identifier, RateLimit, SecretName } from '@controlplane/contracts';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { RunnerError } from '../errors/runner-error.js';
import type { CapabilityContext } from './capability-context.js';
import { schemaToJson } from './capability-manifest.js';
import type { Capability, CapabilityDefinition } from './capability.js';
import { serveIfIsolated } from './isolated-handler.js';
import { isolationOf } from './isolation.js';
import { withMiddleware } from './middleware.js';

/**
 * Defines a capability: a plain value; nothing is registered by defining it.
 * @param definition - id, version, schemas and handler
 * @returns the capability with every default filled
 * @throws RunnerError `INVALID_CAPABILITY` when a member is unusable or a schema has no JSON Schema
 */
export function defineCapability<
  Input extends StandardSchemaV1,
  Output extends StandardSchemaV1 | undefined = undefined,
  Checkpoint extends StandardSchemaV1 | undefined = undefined,
  const Secret extends string = never,
>(
  definition: CapabilityDefinition<Input, Output, Checkpoint, Secret>,
): Capability<Input, Output, Checkpoint> {
  checkMembers(definition);
  const { id, version, description, input, output } = definition;
  const isolation = isolationOf(definition);
  if (typeof isolation === 'string')
    throw new RunnerError('INVALID_CAPABILITY', `capability "${id}": ${isolation}`);
  const execute = withMiddleware<Capability<Input, Output, Checkpoint>['execute']>(
    definition.use ?? [],
    definition.execute.bind(definition),
  );
  serveIfIsolated(id, {
    input,
    checkpoint: definition.checkpoint,
    execute: execute as (input: unknown, ctx: CapabilityContext) => unknown,
  });
  return Object.freeze({
    id,
    version,
    name: definition.name ?? id,
    description,
    input,
    output: output as Output,
    checkpoint: definition.checkpoint as Checkpoint,
    inputJsonSchema: definition.inputJsonSchema ?? schemaToJson(input, { capabilityId: id, side: 'input' }),
    outputJsonSchema:
      definition.outputJsonSchema ??
      (output ? schemaToJson(output, { capabilityId: id, side: 'output' }) : {}),
    effects: definition.effects ?? 'idempotent',
    announcesWrites: definition.announcesWrites ?? false,
    timeoutMs: definition.timeoutMs ?? DEFAULTS.executionTimeoutMs,
    maxTimeoutMs: definition.maxTimeoutMs,
    idleTimeoutMs: definition.idleTimeoutMs,
    maxConcurrency: definition.maxConcurrency,
    rateLimit: definition.rateLimit,
    jobTypes: [...(definition.jobTypes ?? [])],
    secrets: [...new Set(definition.secrets ?? [])],
    startWarning: definition.startWarning,
    isolated: isolation,
    execute,
  });
}

type Checked = CapabilityDefinition<
  StandardSchemaV1,
  StandardSchemaV1 | undefined,
  StandardSchemaV1 | undefined
>;

function isStandardSchema(value: unknown): boolean {
  const holdsMembers = (typeof value === 'object' && value !== null) || typeof value === 'function';
  return holdsMembers && typeof (value as Partial<StandardSchemaV1>)['~standard']?.validate === 'function';
}

function isJsonSchema(value: unknown): boolean {
  return value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value));
}

const isDuration = (value: unknown): boolean => value === undefined || DurationMs.safeParse(value).success;

const RULES: ReadonlyArray<
  readonly [member: keyof Checked, holds: (value: unknown) => boolean, expected: string]
> = [
  ['id', (value) => Identifier.safeParse(value).success, '1–128 characters of A-Z a-z 0-9 . _ : -'],
  ['version', (value) => typeof value === 'string' && value !== '', 'a text such as "1.0.0"'],
  ['description', (value) => typeof value === 'string', 'a text'],
  [
    'input',
    isStandardSchema,
    'a schema that speaks Standard Schema (Zod 3.24 or later, Valibot 1, ArkType 2); without any input, z.object({})',
  ],
  [
    'checkpoint',
    (value) => value === undefined || isStandardSchema(value),
    'a schema that speaks Standard Schema, or nothing',
  ],
  [
    'output',
    (value) => value === undefined || isStandardSchema(value),
    'a schema that speaks Standard Schema, or nothing',
  ],
  ['startWarning', (value) => value === undefined || typeof value === 'string', 'a text, or nothing'],
  ['name', (value) => value === undefined || typeof value === 'string', 'a text, or nothing'],
  ['inputJsonSchema', isJsonSchema, 'a JSON Schema object, or nothing'],
  ['outputJsonSchema', isJsonSchema, 'a JSON Schema object, or nothing'],
  [
    'jobTypes',
    (value) =>
      value === undefined || (Array.isArray(value) && value.every((type) => typeof type === 'string')),
    'a list of texts, or nothing',
  ],
  [
    'secrets',
    (value) =>
      value === undefined ||
      (Array.isArray(value) && value.every((name) => SecretName.safeParse(name).success)),
    'a list of names of A-Z a-z 0-9 _, not beginning with a digit, or nothing',
  ],
  [
    'use',
    (value) =>
      value === undefined || (Array.isArray(value) && value.every((item) => typeof item === 'function')),
    'a list of functions, or nothing',
  ],
  ['execute', (value) => typeof value === 'function', 'a function'],
  [
    'effects',
    (value) => value === undefined || Effects.safeParse(value).success,
    'none, idempotent or writes',
  ],
  ['announcesWrites', (value) => value === undefined || typeof value === 'boolean', 'true, false or nothing'],
  ['timeoutMs', isDuration, 'whole milliseconds above 0'],
  ['maxTimeoutMs', isDuration, 'whole milliseconds above 0'],
  ['idleTimeoutMs', isDuration, 'whole milliseconds above 0'],
  [
    'maxConcurrency',
    (value) => value === undefined || (Number.isSafeInteger(value) && Number(value) > 0),
    'a whole number above 0',
  ],
  [
    'rateLimit',
    (value) => value === undefined || RateLimit.safeParse(value).success,
    '{ limit, intervalMs }, both whole numbers above 0, or nothing',
  ],
];

function checkMembers(definition: object): void {
  const members = definition as Partial<Record<keyof Checked, unknown>>;
  for (const [member, holds, expected] of RULES) {
    const value = members[member];
    if (holds(value)) continue;
    const isPlain = value === undefined || ['string', 'number', 'boolean'].includes(typeof value);
    const shown = isPlain ? JSON.stringify(value) : typeof value;
    throw new RunnerError(
      'INVALID_CAPABILITY',
      `capability ${typeof members.id === 'string' ? JSON.stringify(members.id) : typeof members.id}: ${member} is ${shown}; expected ${expected}`,
    );
  }
}
