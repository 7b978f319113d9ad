import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { createExecutorFixture, createHeld, greet, settle, words } from './executor-fixture.js';

describe('slots', () => {
  test('are counted for the runner and for each capability, and come back', async () => {
    const one = createHeld('one', { maxConcurrency: 1 });
    const two = createHeld('two');
    const { start, requestOf, executor } = createExecutorFixture([one.capability, two.capability], {
      slots: 2,
    });
    await start(requestOf('one'));
    expect((await start(requestOf('one'))).last()).toMatchObject({
      type: 'failed',
      seq: 0,
      error: {
        code: 'RUNNER_BUSY',
        retryable: true,
        message: 'all 1 slots of the capability "one" are taken',
      },
    });
    await start(requestOf('two'));
    expect((await start(requestOf('two'))).last()).toMatchObject({
      error: { message: 'all 2 slots of the runner are taken' },
    });
    expect(executor.running()).toHaveLength(2);
    one.calls[0]?.resolve('done');
    await settle();
    expect((await start(requestOf('one'))).types()).toEqual(['accepted']);
  });

  test('are free when the terminal event is heard', async () => {
    const held = createHeld();
    const { executor, requestOf } = createExecutorFixture([held.capability], { slots: 1 });
    const seen: string[] = [];
    executor.run(requestOf('held'), (event) => {
      if (event.type === 'succeeded') executor.run(requestOf('held'), ({ type }) => seen.push(type));
    });
    await settle();
    held.calls[0]?.resolve(1);
    await settle();
    expect(seen).toEqual(['accepted']);
  });

  test('are given back by an execution whose input was refused', async () => {
    const { start, requestOf, executor } = createExecutorFixture([greet], { slots: 1 });
    await start(requestOf('greet', {}));
    expect(executor.running()).toEqual([]);
    expect((await start(requestOf('greet', { name: 'Ada' }))).types()).toContain('accepted');
  });
});

test('an acceptance that cannot be passed on frees the slot, and the execution may be offered again', async () => {
  const slow = defineCapability({
    ...words,
    id: 'slow',
    input: z.object({}).refine(async () => Promise.resolve(true)),
    execute: () => 1,
  });
  const { executor, requestOf, start } = createExecutorFixture([slow], { slots: 1 });
  const request = requestOf('slow');
  const seen: string[] = [];
  const subscription = executor.run(request, ({ type }) => {
    seen.push(type);
    subscription.detach();
  });
  await settle();
  expect(seen).toEqual(['accepted']);
  expect(executor.running()).toEqual([]);
  const again = await start(request);
  await settle();
  expect(again.types()).toEqual(['accepted', 'succeeded']);
});

describe('a repeated delivery', () => {
  test('of a running execution joins it from its first event on', async () => {
    const held = createHeld();
    const { start, requestOf } = createExecutorFixture([held.capability]);
    const first = await start(requestOf('held'));
    held.calls[0]?.ctx.log.info('one');
    const again = await start(first.request);
    held.calls[0]?.ctx.log.info('two');
    held.calls[0]?.resolve('done');
    await settle();
    expect(held.calls).toHaveLength(1);
    expect(again.events).toEqual(first.events);
    expect(again.types()).toEqual(['accepted', 'log', 'log', 'succeeded']);
  });

  test('of an ended execution is answered from memory', async () => {
    const held = createHeld();
    const { start, requestOf } = createExecutorFixture([held.capability]);
    const first = await start(requestOf('held'));
    held.calls[0]?.reject(new Error('broken'));
    await settle();
    const again = await start(first.request);
    expect(again.events).toEqual(first.events);
    expect(held.calls).toHaveLength(1);
  });

  test('of a refused execution is tried again', async () => {
    const held = createHeld();
    const { start, requestOf } = createExecutorFixture([held.capability], { slots: 1 });
    await start(requestOf('held'));
    const refused = await start(requestOf('held'));
    held.calls[0]?.resolve(1);
    await settle();
    expect((await start(refused.request)).types()).toEqual(['accepted']);
  });

  test('of an execution whose input was refused is looked at again', async () => {
    const { start, requestOf, executor } = createExecutorFixture([greet]);
    const refused = await start(requestOf('greet', {}));
    expect(executor.cancel(refused.request.executionId, 'user')).toBe('unknown');
    const corrected = await start({ ...refused.request, payload: { name: 'Ada' } });
    await settle();
    expect(corrected.types().at(-1)).toBe('succeeded');
  });

  test('is run again once it is forgotten, by age or by number', async () => {
    const held = createHeld();
    const { start, requestOf, clock } = createExecutorFixture([held.capability], {
      limits: { replay: { maxCount: 2, maxBytes: 1e6, maxAgeMs: 1000 } },
    });
    const first = await start(requestOf('held'));
    held.calls[0]?.resolve(1);
    await clock.advance(1001);
    await start(first.request);
    expect(held.calls).toHaveLength(2);
    await start(requestOf('held'));
    await start(requestOf('held'));
    for (const call of held.calls.slice(1)) call.resolve(1);
    await settle();
    await start(first.request);
    expect(held.calls).toHaveLength(5);
  });
});
