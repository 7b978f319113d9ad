import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { createDeferred } from '../util/deferred.js';
import { toSafeJson } from '../util/safe-json.js';
import { createExecutorFixture } from './executor-fixture.js';

const anything = z.looseObject({});

/** A schema that answers when it is told. */
function createSlowSchema(until: Promise<unknown>): StandardSchemaV1 {
  return {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: async (value) => {
        await until;
        return { value };
      },
    },
  };
}

test('what is copied for a log is bounded as a whole, however its parts are shared', () => {
  let graph: unknown = 'x'.repeat(1000);
  for (let level = 0; level < 5; level++) graph = Array.from({ length: 14 }, () => graph);
  expect(JSON.stringify(toSafeJson(graph)).length).toBeLessThan(1024 * 1024);
});

test('progress that is no number is 0', async () => {
  const capability = defineCapability({
    id: 'says',
    version: '1.0.0',
    description: 'Says.',
    input: anything,
    async execute(_input, ctx) {
      await ctx.progress('50%' as never);
      await ctx.progress(undefined as never);
    },
  });
  const { start, requestOf } = createExecutorFixture([capability]);
  const { events } = await start(requestOf('says'));
  await new Promise(setImmediate);
  expect(events.flatMap((event) => (event.type === 'progress' ? [event.fraction] : []))).toEqual([0, 0]);
});

test('a result that throws what cannot be shown when it is written fails, also behind a slow schema', async () => {
  const result = {
    toJSON: () => {
      throw Object.create(null);
    },
  };
  const capability = defineCapability({
    id: 'odd',
    version: '1.0.0',
    description: 'Odd.',
    input: anything,
    output: createSlowSchema(Promise.resolve()),
    outputJsonSchema: { type: 'object' },
    execute: () => result,
  });
  const { start, requestOf } = createExecutorFixture([capability]);
  const { last } = await start(requestOf('odd'));
  await new Promise(setImmediate);
  expect(last()).toMatchObject({ type: 'failed', error: { code: 'OUTPUT_INVALID' } });
});

describe('an execution whose reader is gone before it could be accepted', () => {
  test('is not run, and may be offered again', async () => {
    const checked = createDeferred<void>();
    let runs = 0;
    const capability = defineCapability({
      id: 'slow',
      version: '1.0.0',
      description: 'Slow input.',
      input: createSlowSchema(checked.promise),
      inputJsonSchema: { type: 'object' },
      execute: () => ++runs,
    });
    const { executor, requestOf, start } = createExecutorFixture([capability], { slots: 1 });
    const request = requestOf('slow');
    executor.run(request, () => undefined).detach();
    checked.resolve();
    await new Promise(setImmediate);
    expect(runs).toBe(0);
    expect(executor.running()).toEqual([]);
    const { last } = await start(request);
    await new Promise(setImmediate);
    expect(last()).toMatchObject({ type: 'succeeded', data: 1 });
  });
});

test('an abort leaves an execution that was cancelled before cancelled', async () => {
  const deaf = defineCapability({
    id: 'deaf',
    version: '1.0.0',
    description: 'Deaf.',
    input: anything,
    execute: () => new Promise<void>(() => undefined),
  });
  const { executor, start, requestOf } = createExecutorFixture([deaf]);
  const { request, last } = await start(requestOf('deaf'));
  executor.cancel(request.executionId, 'user');
  executor.abort();
  expect(last()).toMatchObject({ type: 'cancelled', reason: 'user' });
});

test('a reader that leaves while it waits is let go', async () => {
  const deaf = defineCapability({
    id: 'deaf',
    version: '1.0.0',
    description: 'Deaf.',
    input: anything,
    execute: () => new Promise<void>(() => undefined),
  });
  const { executor, requestOf } = createExecutorFixture([deaf]);
  const events = executor.execute(requestOf('deaf'))[Symbol.asyncIterator]();
  await events.next();
  const waiting = events.next();
  await events.return?.();
  expect(await waiting).toEqual({ done: true, value: undefined });
});
