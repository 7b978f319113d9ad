import { type } from 'arktype';
import * as v from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod3';
import type { RunnerOptions } from '../lifecycle/runner-options.js';
import type { CapabilityContext } from './capability-context.js';
import { defineCapability } from './define-capability.js';

const words = { id: 'a', version: '1.0.0', description: 'x' };

describe('Zod 4', () => {
  const input = z.object({ width: z.coerce.number(), unit: z.string().default('px') });
  const output = z.object({ bytes: z.number() });

  test('input flows parsed into the handler', () => {
    defineCapability({
      ...words,
      input,
      execute(value, ctx) {
        expectTypeOf(value).toEqualTypeOf<{ width: number; unit: string }>();
        expectTypeOf(ctx).toEqualTypeOf<CapabilityContext<unknown, unknown, never>>();
        expectTypeOf(ctx).toExtend<CapabilityContext>();
      },
    });
  });
  test('the right result compiles, at once or later', () => {
    defineCapability({ ...words, input, output, execute: () => ({ bytes: 1 }) });
    defineCapability({ ...words, input, output, execute: async () => Promise.resolve({ bytes: 1 }) });
  });
  test('a wrong result does not compile', () => {
    // @ts-expect-error bytes is a number
    defineCapability({ ...words, input, output, execute: () => ({ bytes: 'one' }) });
    // @ts-expect-error nothing is returned
    defineCapability({ ...words, input, output, async execute() {} });
  });
  test('the secrets that it names are there, and no others', () => {
    defineCapability({
      ...words,
      input,
      secrets: ['API_KEY', 'OTHER'],
      execute(_value, { secrets }) {
        expectTypeOf(secrets).toEqualTypeOf<Readonly<Record<'API_KEY' | 'OTHER', string>>>();
        // @ts-expect-error it is not named
        return secrets.MISSING as unknown;
      },
    });
  });
  test('without an output schema anything may be returned', () => {
    defineCapability({ ...words, input, execute: () => new Map() });
  });
});

describe('Zod 3', () => {
  const input = z3.object({ width: z3.number(), unit: z3.string().default('px') });
  const output = z3.object({ bytes: z3.number() });

  test('input flows parsed into the handler', () => {
    defineCapability({
      ...words,
      input,
      output,
      execute(value) {
        expectTypeOf(value).toEqualTypeOf<{ width: number; unit: string }>();
        return { bytes: value.width };
      },
    });
  });
  test('a wrong result does not compile', () => {
    // @ts-expect-error bytes is a number
    defineCapability({ ...words, input, output, execute: async () => Promise.resolve({ bytes: 'one' }) });
  });
});

describe('Valibot', () => {
  const input = v.object({ width: v.number(), unit: v.optional(v.string(), 'px') });
  const output = v.object({ bytes: v.number() });

  test('input flows parsed into the handler', () => {
    defineCapability({
      ...words,
      input,
      output,
      execute(value) {
        expectTypeOf(value).toEqualTypeOf<{ width: number; unit: string }>();
        return { bytes: value.width };
      },
    });
  });
  test('a wrong result does not compile', () => {
    // @ts-expect-error bytes is a number
    defineCapability({ ...words, input, output, execute: () => ({ bytes: 'one' }) });
  });
});

describe('ArkType', () => {
  const input = type({ width: 'number', unit: "string = 'px'" });
  const output = type({ bytes: 'number' });

  test('input flows parsed into the handler', () => {
    defineCapability({
      ...words,
      input,
      output,
      execute(value) {
        expectTypeOf(value).toEqualTypeOf<{ width: number; unit: string }>();
        return { bytes: value.width };
      },
    });
  });
  test('a wrong result does not compile', () => {
    // @ts-expect-error bytes is a number
    defineCapability({ ...words, input, output, execute: () => ({ bytes: 'one' }) });
  });
});

test('capabilities of every shape go into one runner', () => {
  const first = defineCapability({
    ...words,
    input: z.object({ a: z.string() }),
    output: z.object({ b: z.number() }),
    execute: () => ({ b: 1 }),
  });
  const second = defineCapability({ ...words, input: type({ c: 'string' }), execute: ({ c }) => c });
  const third = defineCapability({ ...words, input: z3.object({ d: z3.string() }), execute: ({ d }) => d });
  expectTypeOf([first, second, third]).toExtend<RunnerOptions['capabilities']>();
});

describe('checkpoints', () => {
  const input = z.object({});
  const schemas = {
    zod4: z.object({ page: z.coerce.number() }),
    zod3: z3.object({ page: z3.number() }),
    valibot: v.object({ page: v.number() }),
    arktype: type({ page: 'number' }),
  };

  test('without a schema are anything', () => {
    defineCapability({
      ...words,
      input,
      execute(_input, { lastCheckpoint, checkpoint }) {
        expectTypeOf(lastCheckpoint).toEqualTypeOf<unknown>();
        return checkpoint({ any: 'thing' });
      },
    });
  });
  test('are given as the schema takes them and come back as it parses them', () => {
    defineCapability({
      ...words,
      input,
      checkpoint: z.object({ page: z.string().transform(Number) }),
      execute(_input, { lastCheckpoint, checkpoint }) {
        expectTypeOf(lastCheckpoint).toEqualTypeOf<{ page: number } | undefined>();
        // @ts-expect-error the page is a text on its way out
        void checkpoint({ page: 1 });
        return checkpoint({ page: '1' });
      },
    });
  });
  test('flow from every library', () => {
    defineCapability({
      ...words,
      input,
      checkpoint: schemas.zod3,
      execute: (_input, ctx) =>
        expectTypeOf(ctx.lastCheckpoint).toEqualTypeOf<{ page: number } | undefined>(),
    });
    defineCapability({
      ...words,
      input,
      checkpoint: schemas.zod4,
      execute: (_input, ctx) =>
        expectTypeOf(ctx.lastCheckpoint).toEqualTypeOf<{ page: number } | undefined>(),
    });
    defineCapability({
      ...words,
      input,
      checkpoint: schemas.valibot,
      execute: (_input, ctx) =>
        expectTypeOf(ctx.lastCheckpoint).toEqualTypeOf<{ page: number } | undefined>(),
    });
    defineCapability({
      ...words,
      input,
      checkpoint: schemas.arktype,
      execute: (_input, ctx) =>
        expectTypeOf(ctx.lastCheckpoint).toEqualTypeOf<{ page: number } | undefined>(),
    });
  });
});
