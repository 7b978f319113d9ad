import { type } from 'arktype';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { z as z3 } from 'zod3';
import { defineCapability } from '../capability/define-capability.js';
import { runCapability } from './run-capability.js';

const words = { id: 'a', version: '1.0.0', description: 'x' };
const json = { inputJsonSchema: {}, outputJsonSchema: {} };
const execute = ({ width }: { width: number }): { bytes: number } => ({ bytes: width });

const zod4 = defineCapability({
  ...words,
  input: z.object({ width: z.number(), unit: z.string().default('px') }),
  output: z.object({ bytes: z.number() }),
  execute,
});
const zod3 = defineCapability({
  ...words,
  input: z3.object({ width: z3.number(), unit: z3.string().default('px') }),
  output: z3.object({ bytes: z3.number() }),
  execute,
});
const valibot = defineCapability({
  ...words,
  ...json,
  input: v.object({ width: v.number(), unit: v.optional(v.string(), 'px') }),
  output: v.object({ bytes: v.number() }),
  execute,
});
const arktype = defineCapability({
  ...words,
  input: type({ width: 'number', unit: "string = 'px'" }),
  output: type({ bytes: 'number' }),
  execute,
});

test('the result has the type that the output schema makes, of every library', async () => {
  expectTypeOf((await runCapability(zod4, { width: 1 })).data).toEqualTypeOf<{ bytes: number } | undefined>();
  expectTypeOf((await runCapability(zod3, { width: 1 })).data).toEqualTypeOf<{ bytes: number } | undefined>();
  expectTypeOf((await runCapability(valibot, { width: 1 })).data).toEqualTypeOf<
    { bytes: number } | undefined
  >();
  expectTypeOf((await runCapability(arktype, { width: 1 })).data).toEqualTypeOf<
    { bytes: number } | undefined
  >();
});

test('a wrong input does not compile', () => {
  // @ts-expect-error width is a number
  void runCapability(zod4, { width: 'one' });
  // @ts-expect-error width is a number
  void runCapability(zod3, { width: 'one' });
  // @ts-expect-error width is a number
  void runCapability(valibot, { width: 'one' });
  // @ts-expect-error width is a number
  void runCapability(arktype, { width: 'one' });
  void runCapability(zod4, { wrong: true } as never);
});

test('the outcome says which members are there', async () => {
  const run = await runCapability(zod4, { width: 1 });
  if (run.outcome === 'succeeded') expectTypeOf(run.data.bytes).toBeNumber();
  if (run.outcome === 'failed') expectTypeOf(run.error.code).toBeString();
  if (run.outcome === 'cancelled')
    expectTypeOf(run.reason).toEqualTypeOf<'user' | 'deadline' | 'shutdown' | 'lease-lost'>();
});

test('without an output schema the result is unknown', async () => {
  const run = await runCapability(defineCapability({ ...words, input: z.object({}), execute: () => 1 }), {});
  expectTypeOf(run.data).toBeUnknown();
});

test('a capability with a schema of its checkpoints runs too', async () => {
  const walk = defineCapability({
    ...words,
    input: z.object({}),
    output: z.object({ steps: z.number() }),
    checkpoint: z.object({ step: z.number() }),
    execute: () => ({ steps: 1 }),
  });
  expectTypeOf((await runCapability(walk, {})).data).toEqualTypeOf<{ steps: number } | undefined>();
});
