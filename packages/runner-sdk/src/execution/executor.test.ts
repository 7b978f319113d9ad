import { ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { CapabilityError } from '../errors/capability-error.js';
import { createExecutorFixture, createHeld, greet, settle, words } from './executor-fixture.js';

describe('an execution', () => {
  test('is accepted, says what it says, and succeeds, in order', async () => {
    const { start, requestOf } = createExecutorFixture([greet]);
    const { events } = await start(requestOf('greet', { name: 'Ada' }));
    await settle();
    expect(events).toMatchObject([
      { type: 'accepted', seq: 0, at: '2026-01-01T00:00:00.000Z', executionId: 'execution-1' },
      { type: 'log', seq: 1, level: 'info', message: 'greeting', fields: { name: 'Ada' } },
      { type: 'progress', seq: 2, fraction: 0.5, message: 'half' },
      { type: 'succeeded', seq: 3, data: { message: 'Hello, Ada' }, runnerId: 'runner-1' },
    ]);
    for (const event of events) expect(ExecutionEvent.safeParse(event).success).toBe(true);
  });

  test('knows its job, its attempt and what the sender attached', async () => {
    const { capability, calls } = createHeld();
    const { start, requestOf } = createExecutorFixture([capability]);
    await start(requestOf('held', {}, { attempt: 3, metadata: { correlationId: 'c-1' } }));
    expect(calls[0]?.ctx).toMatchObject({
      jobId: 'job-1',
      executionId: 'execution-1',
      attempt: 3,
      metadata: { correlationId: 'c-1' },
    });
  });

  test('is refused when its input does not fit, with the path, and is not accepted', async () => {
    const { start, requestOf } = createExecutorFixture([greet]);
    const { events } = await start(requestOf('greet', { name: 42 }));
    expect(events).toMatchObject([
      {
        type: 'failed',
        seq: 0,
        error: { code: 'VALIDATION_ERROR', retryable: false, details: [{ path: ['input', 'name'] }] },
      },
    ]);
  });

  test('fails when the capability is not offered, and says which are', async () => {
    const { start, requestOf } = createExecutorFixture([greet]);
    const { last } = await start(requestOf('paint'));
    expect(last()).toMatchObject({
      type: 'failed',
      error: { code: 'CAPABILITY_NOT_FOUND', message: expect.stringContaining('it offers greet') },
    });
  });

  test.each([
    ['does not fit the output schema', { message: 7 }, 'OUTPUT_INVALID'],
    ['is missing', undefined, 'OUTPUT_INVALID'],
  ])('fails when its result %s', async (_why, result, code) => {
    const wrong = defineCapability({
      ...words,
      id: 'wrong',
      input: z.object({}),
      output: z.object({ message: z.string() }),
      execute: () => result as never,
    });
    const { start, requestOf } = createExecutorFixture([wrong]);
    const { last } = await start(requestOf('wrong'));
    await settle();
    expect(last()).toMatchObject({
      type: 'failed',
      error: { code, details: [{ path: expect.arrayContaining(['output']) }] },
    });
  });

  test.each([
    [
      'a cycle',
      () => {
        const cycle: { self?: unknown } = {};
        cycle.self = cycle;
        return cycle;
      },
      'OUTPUT_INVALID',
    ],
    ['a bigint', () => 1n, 'OUTPUT_INVALID'],
    ['a function', () => () => 1, 'OUTPUT_INVALID'],
    ['more than may be sent', () => 'ü'.repeat(600), 'PAYLOAD_TOO_LARGE'],
  ])('fails when its result is %s', async (_what, make, code) => {
    const odd = defineCapability({ ...words, id: 'odd', input: z.object({}), execute: make });
    const { start, requestOf } = createExecutorFixture([odd], { limits: { maxResultBytes: 1000 } });
    const { last } = await start(requestOf('odd'));
    await settle();
    expect(last()).toMatchObject({ type: 'failed', error: { code } });
  });

  test('that is too large names the part of its result that is to blame', async () => {
    const execute = () => ({ id: 1, pages: [{ html: '' }, { html: 'x'.repeat(2000) }] });
    const large = defineCapability({ ...words, id: 'large', input: z.object({}), execute });
    const { start, requestOf } = createExecutorFixture([large], { limits: { maxResultBytes: 1000 } });
    const { last } = await start(requestOf('large'));
    await settle();
    expect(last()).toMatchObject({
      error: {
        code: 'PAYLOAD_TOO_LARGE',
        retryable: false,
        message: expect.stringContaining('; its largest part is result.pages[1].html with 2002 bytes'),
      },
    });
  });

  test('succeeds with null when the handler returns nothing', async () => {
    const quiet = defineCapability({ ...words, id: 'quiet', input: z.object({}), execute: () => undefined });
    const { start, requestOf } = createExecutorFixture([quiet]);
    const { last } = await start(requestOf('quiet'));
    await settle();
    expect(last()).toMatchObject({ type: 'succeeded', data: null });
  });

  test.each([
    [
      'throws at once',
      () => {
        throw new CapabilityError('NOPE', 'no', { retryable: false });
      },
    ],
    ['rejects', () => Promise.reject(new CapabilityError('NOPE', 'no', { retryable: false }))],
    [
      'returns a thenable that throws',
      () => ({
        // A handler may return anything; this is what is tested.
        // oxlint-disable-next-line unicorn/no-thenable
        then: () => {
          throw new CapabilityError('NOPE', 'no', { retryable: false });
        },
      }),
    ],
  ])('fails as the handler says when it %s', async (_how, execute) => {
    const failing = defineCapability({ ...words, id: 'failing', input: z.object({}), execute });
    const { start, requestOf } = createExecutorFixture([failing]);
    const { last, types } = await start(requestOf('failing'));
    await settle();
    expect(last()).toMatchObject({
      type: 'failed',
      error: { code: 'NOPE', retryable: false, operation: 'failing@1.0.0' },
    });
    expect(types()).toEqual(['accepted', 'failed']);
  });

  test('works with schemas that take their time', async () => {
    const slowly = z
      .object({ name: z.string() })
      .refine(async ({ name }) => Promise.resolve(name !== 'taken'), 'taken');
    const slow = defineCapability({
      ...words,
      id: 'slow',
      input: slowly,
      output: slowly,
      execute: (input) => input,
    });
    const { start, requestOf } = createExecutorFixture([slow]);
    const good = await start(requestOf('slow', { name: 'ada' }));
    const bad = await start(requestOf('slow', { name: 'taken' }));
    await settle();
    expect(good.types()).toEqual(['accepted', 'succeeded']);
    expect(bad.last()).toMatchObject({
      type: 'failed',
      seq: 0,
      error: { code: 'VALIDATION_ERROR', message: expect.stringContaining('taken') },
    });
  });

  test('fails when a schema throws', async () => {
    const odd = defineCapability({
      ...words,
      id: 'odd',
      input: z.object({}).transform(() => {
        throw new Error('schema is broken');
      }),
      execute: () => 1,
    });
    const { start, requestOf, executor } = createExecutorFixture([odd]);
    const { last } = await start(requestOf('odd'));
    await settle();
    expect(last()).toMatchObject({
      type: 'failed',
      error: { code: 'EXECUTION_FAILED', message: 'schema is broken' },
    });
    expect(executor.running()).toEqual([]);
  });
});

test('the handler starts after whoever listens has heard that it was accepted', async () => {
  const order: string[] = [];
  const blocking = defineCapability({
    ...words,
    id: 'blocking',
    input: z.object({}),
    execute: () => void order.push('handler'),
  });
  const { executor, requestOf } = createExecutorFixture([blocking]);
  for (const name of ['one', 'two'])
    executor.run(requestOf('blocking'), ({ type }) => order.push(`${name} ${type}`));
  order.push('all started');
  await settle();
  expect(order.slice(0, 4)).toEqual(['one accepted', 'two accepted', 'all started', 'handler']);
});

test('what is meant for another process of the runner is refused instead of accepted', async () => {
  const held = createHeld();
  const { start, requestOf, executor } = createExecutorFixture([held.capability], { instanceId: 'now' });
  const refused = await start(requestOf('held', {}, { instanceId: 'before' }));
  expect(refused.events).toMatchObject([
    {
      type: 'failed',
      seq: 0,
      error: { code: 'INSTANCE_MISMATCH', category: 'RESOURCE_CONFLICT', retryable: false },
    },
  ]);
  expect(executor.running()).toEqual([]);
  expect((await start(requestOf('held', {}, { instanceId: 'now' }))).types()).toEqual(['accepted']);
  expect((await start(requestOf('held'))).types()).toEqual(['accepted']);
});
