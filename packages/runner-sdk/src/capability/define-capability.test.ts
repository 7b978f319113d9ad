import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod3';
import * as mini from 'zod/mini';
import { isRunnerError } from '../errors/runner-error.js';
import { describeCapability } from './capability-manifest.js';
import { createCapabilityRegistry } from './capability-registry.js';
import { defineCapability } from './define-capability.js';

const words = { id: 'image.resize', version: '1.0.0', description: 'Resizes an image.' };
const execute = (): unknown => undefined;

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
};

describe('defineCapability', () => {
  test('fills every default', () => {
    const capability = defineCapability({ ...words, input: z.object({ a: z.string() }), execute });
    expect(capability).toMatchObject({
      name: 'image.resize',
      effects: 'idempotent',
      timeoutMs: 30_000,
      jobTypes: [],
      outputJsonSchema: {},
    });
    expect(capability.maxConcurrency).toBeUndefined();
  });

  test('gives the handler what it is called on', async () => {
    const definition = {
      ...words,
      input: z.object({}),
      greeting: 'hello',
      execute(): string {
        return this.greeting;
      },
    };
    expect(await defineCapability(definition).execute({}, {} as never)).toBe('hello');
  });

  test.each([
    ['id', { id: 'not an id' }],
    ['version', { version: '' }],
    ['input', { input: {} }],
    ['input', { input: undefined }],
    ['output', { output: 'text' }],
    ['execute', { execute: undefined }],
    ['effects', { effects: 'some' }],
    ['timeoutMs', { timeoutMs: 0 }],
    ['timeoutMs', { timeoutMs: 2 ** 31 }],
    ['maxConcurrency', { maxConcurrency: 0.5 }],
    ['rateLimit', { rateLimit: { limit: 0, intervalMs: 1_000 } }],
  ])('refuses an unusable %s by name', (member, change) => {
    const error = thrownBy(() =>
      defineCapability({ ...words, input: z.object({}), execute, ...change } as never),
    );
    expect(isRunnerError(error, 'INVALID_CAPABILITY')).toBe(true);
    expect((error as Error).message).toContain(`: ${member} is `);
  });
});

describe('the JSON Schema of a capability', () => {
  const object = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };

  test.each([
    ['Zod 4', z.object({ name: z.string() })],
    ['Zod 4 mini', mini.object({ name: mini.string() })],
    ['Zod 3', z3.object({ name: z3.string() })],
    ['ArkType', type({ name: 'string' })],
  ])('is made from %s', (_library, input) => {
    const { inputJsonSchema, outputJsonSchema } = defineCapability({
      ...words,
      input,
      output: input,
      execute: () => ({ name: 'x' }),
    });
    expect(inputJsonSchema).toMatchObject(object);
    expect(outputJsonSchema).toMatchObject(object);
    expect(inputJsonSchema).not.toHaveProperty('$schema');
  });

  test('is made from a Zod 4 schema that does not offer one itself', () => {
    const schema = z.object({ name: z.string() });
    const older = Object.create(schema, {
      '~standard': { value: { version: 1, vendor: 'zod', validate: schema['~standard'].validate } },
    }) as typeof schema;
    expect(defineCapability({ ...words, input: older, execute }).inputJsonSchema).toMatchObject(object);
  });

  test('must be given for a library that offers none', () => {
    const input = v.object({ name: v.string() });
    const error = thrownBy(() => defineCapability({ ...words, input, execute }));
    expect((error as Error).message).toBe(
      'capability "image.resize": input is a schema of valibot, which offers no JSON Schema; give `inputJsonSchema` (for Valibot: toJsonSchema(schema) of @valibot/to-json-schema)',
    );
    expect(defineCapability({ ...words, input, inputJsonSchema: object, execute }).inputJsonSchema).toBe(
      object,
    );
  });

  test.each([
    ['Zod 4', z.any()],
    ['Zod 4', z.unknown()],
    ['Zod 3', z3.any()],
    ['ArkType', type('unknown')],
  ])('is never empty by accident (%s)', (_library, schema) => {
    expect(
      (thrownBy(() => defineCapability({ ...words, input: schema, execute })) as Error).message,
    ).toContain('accepts anything');
    expect(
      (thrownBy(() => defineCapability({ ...words, input: z.object({}), output: schema, execute })) as Error)
        .message,
    ).toContain('output became an empty JSON Schema');
  });

  test('keeps objects open in both directions, unless they are strict', () => {
    const schema = z.object({
      inner: z.object({ a: z.string() }),
      strict: z.strictObject({ b: z.string() }),
    });
    const { inputJsonSchema, outputJsonSchema } = defineCapability({
      ...words,
      input: schema,
      output: schema,
      execute: () => ({ inner: { a: '' }, strict: { b: '' } }),
    });
    for (const json of [inputJsonSchema, outputJsonSchema]) {
      expect(json).not.toHaveProperty('additionalProperties');
      expect(json).not.toHaveProperty('properties.inner.additionalProperties');
      expect(json).toHaveProperty('properties.strict.additionalProperties', false);
    }
  });

  test('describes dates as text, and refuses an input that JSON cannot carry', () => {
    const { inputJsonSchema, outputJsonSchema } = defineCapability({
      ...words,
      input: z.object({ from: z.coerce.date() }),
      output: z.object({ to: z.date() }),
      execute: ({ from }) => ({ to: from }),
    });
    expect(inputJsonSchema).toHaveProperty('properties.from', { type: 'string', format: 'date-time' });
    expect(outputJsonSchema).toHaveProperty('properties.to', { type: 'string', format: 'date-time' });
    const error = thrownBy(() =>
      defineCapability({ ...words, input: z.object({ when: z.date() }), execute }),
    );
    expect((error as Error).message).toContain('use z.coerce.date() or z.iso.datetime()');
  });

  test('describes the input before and the output after a transform', () => {
    const schema = z.object({ a: z.string().transform(Number).pipe(z.number()) });
    const { inputJsonSchema, outputJsonSchema } = defineCapability({
      ...words,
      input: schema,
      output: schema,
      execute: () => ({ a: '1' }),
    });
    expect(inputJsonSchema).toHaveProperty('properties.a.type', 'string');
    expect(outputJsonSchema).toHaveProperty('properties.a.type', 'number');
  });

  test('writes a root that has an id of its own out', () => {
    const input = z.object({ name: z.string() }).meta({ id: 'Person' });
    expect(defineCapability({ ...words, input, execute }).inputJsonSchema).toMatchObject(object);
  });

  test('writes tuples of Zod 3 as draft 2020-12 does', () => {
    const input = z3.object({ pair: z3.tuple([z3.string(), z3.number()]).rest(z3.boolean()) });
    expect(defineCapability({ ...words, input, execute }).inputJsonSchema).toHaveProperty('properties.pair', {
      type: 'array',
      minItems: 2,
      prefixItems: [{ type: 'string' }, { type: 'number' }],
      items: { type: 'boolean' },
    });
  });
});

describe('the published capability', () => {
  test('may run as often as the runner has slots, where it says nothing else', () => {
    const plain = defineCapability({ ...words, input: z.object({}), execute });
    const bounded = defineCapability({ ...words, input: z.object({}), maxConcurrency: 2, execute });
    expect(describeCapability(plain, 7).maxConcurrency).toBe(7);
    expect(describeCapability(bounded, 7).maxConcurrency).toBe(2);
  });

  test('publishes the rate that it is held to, where it has one', () => {
    const rateLimit = { limit: 10, intervalMs: 60_000 };
    const held = defineCapability({ ...words, input: z.object({}), rateLimit, execute });
    expect(describeCapability(held, 7).rateLimit).toEqual(rateLimit);
    expect(
      describeCapability(defineCapability({ ...words, input: z.object({}), execute }), 7),
    ).not.toHaveProperty('rateLimit');
  });
});

describe('the registry', () => {
  test('refuses two capabilities of one id', () => {
    const capability = defineCapability({ ...words, input: z.object({}), execute });
    expect(() => createCapabilityRegistry([capability, capability])).toThrow(
      'two capabilities have the id "image.resize"',
    );
  });
});

test.each([
  ['jobTypes', 'greeting'],
  ['jobTypes', [1]],
  ['name', 7],
  ['inputJsonSchema', 'object'],
  ['outputJsonSchema', []],
  ['version', 1n],
])('refuses %s of the wrong type where no compiler does', (member, value) => {
  const definition = {
    id: 'x',
    version: '1.0.0',
    description: 'x',
    input: z.object({}),
    execute: () => 1,
    [member]: value,
  };
  const define = (): unknown => defineCapability(definition as never);
  expect(define).toThrow(
    expect.objectContaining({
      name: 'RunnerError',
      code: 'INVALID_CAPABILITY',
      message: expect.stringContaining(`: ${member} is `),
    }),
  );
});
