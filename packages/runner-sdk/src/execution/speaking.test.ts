import { ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CapabilityContext } from '../capability/capability-context.js';
import { defineCapability } from '../capability/define-capability.js';
import { ExecutionCancelled } from '../errors/execution-cancelled.js';
import { createExecutorFixture, createHeld, createTalk, settle, words } from './executor-fixture.js';

const of = (type: ExecutionEvent['type']) => (event: ExecutionEvent) => event.type === type;

describe('a checkpoint', () => {
  test('is an event, as it was when it was taken', async () => {
    const { start, requestOf } = createExecutorFixture([
      createTalk(async ({ checkpoint }) => {
        const state = { page: 1 };
        await checkpoint(state);
        state.page = 2;
      }),
    ]);
    const { events } = await start(requestOf('talk'));
    await settle();
    expect(events[1]).toMatchObject({ type: 'checkpoint', seq: 1, data: { page: 1 } });
    expect(ExecutionEvent.safeParse(events[1]).success).toBe(true);
  });

  test('of the attempt before is handed to the next', async () => {
    const { capability, calls } = createHeld();
    const { start, requestOf } = createExecutorFixture([capability]);
    await start(requestOf('held', {}, { checkpoint: { page: 7 } }));
    await start(requestOf('held'));
    expect(calls.map(({ ctx }) => ctx.lastCheckpoint)).toEqual([{ page: 7 }, undefined]);
  });

  test('is kept only as it was last, for a reader that comes later', async () => {
    const { start, requestOf } = createExecutorFixture([
      createTalk(async ({ checkpoint }) => {
        for (let page = 0; page < 100; page++) await checkpoint(page);
      }),
    ]);
    const { request } = await start(requestOf('talk'));
    await new Promise((resolve) => setTimeout(resolve, 0));
    await settle();
    const again = await start(request);
    expect(again.events).toMatchObject([
      { type: 'accepted' },
      { type: 'checkpoint', seq: 100, data: 99 },
      { type: 'succeeded', seq: 101 },
    ]);
  });

  test.each([
    [
      'is too large',
      'x'.repeat(300_000),
      'the checkpoint is 300002 bytes of JSON; at most 262144 can be sent',
    ],
    ['is no JSON', 1n, 'cannot be written as JSON'],
  ])('is refused when it %s', async (_why, data, message) => {
    const { start, requestOf } = createExecutorFixture([createTalk(({ checkpoint }) => checkpoint(data))]);
    const { last } = await start(requestOf('talk'));
    await settle();
    expect(last()).toMatchObject({
      type: 'failed',
      error: { code: 'EXECUTION_FAILED', message: expect.stringContaining(message) },
    });
  });

  test('is checked against its schema on the way out, and left out on the way in when it no longer fits', async () => {
    const seen: unknown[] = [];
    const paged = defineCapability({
      ...words,
      id: 'paged',
      input: z.object({}),
      checkpoint: z.object({ page: z.number(), size: z.number().default(10) }),
      async execute(_input, ctx) {
        seen.push(ctx.lastCheckpoint);
        await ctx.checkpoint({ page: 'one' as unknown as number });
      },
    });
    const { start, requestOf } = createExecutorFixture([paged]);
    const { last } = await start(requestOf('paged', {}, { checkpoint: { page: 3 } }));
    await start(requestOf('paged', {}, { checkpoint: { pages: [3] } }));
    await settle();
    expect(seen).toEqual([{ page: 3, size: 10 }, undefined]);
    expect(last()).toMatchObject({
      error: { message: expect.stringContaining('does not fit its schema: checkpoint.page') },
    });
  });
});

describe('an extension', () => {
  test('moves the deadline, and says by how much', async () => {
    const { capability, calls } = createHeld('held', { timeoutMs: 1000 });
    const { start, requestOf, clock } = createExecutorFixture([capability]);
    const { events, types } = await start(requestOf('held'));
    const ctx = calls[0]?.ctx as CapabilityContext;
    await clock.advance(900);
    expect(ctx.deadline).toEqual(new Date(clock.now() + 100));
    expect(await ctx.extend(500)).toEqual(new Date(clock.now() + 600));
    expect(ctx.deadline).toEqual(new Date(clock.now() + 600));
    expect(events.at(-1)).toMatchObject({ type: 'extended', timeoutMs: 1500 });
    expect(ExecutionEvent.safeParse(events.at(-1)).success).toBe(true);
    await clock.advance(599);
    expect(ctx.signal.aborted).toBe(false);
    await clock.advance(1);
    expect(ctx.signal.reason).toMatchObject({ kind: 'deadline' });
    calls[0]?.reject(new Error('stopped'));
    await settle();
    expect(types()).toEqual(['accepted', 'extended', 'failed']);
  });

  test('before the timer was set counts as well', async () => {
    const { start, requestOf, clock } = createExecutorFixture([
      createTalk(async ({ extend }) => {
        await extend(1000);
        await new Promise(() => undefined);
      }),
    ]);
    const { types } = await start(requestOf('talk', {}, { timeoutMs: 100 }));
    await clock.advance(1099 + 4999);
    expect(types()).toEqual(['accepted', 'extended']);
    await clock.advance(2);
    expect(types()).toEqual(['accepted', 'extended', 'failed']);
  });

  test.each([
    ['beyond what the capability allows', 501, 'at most 1500 ms are allowed'],
    ['that is no time', -1, 'is not a number of milliseconds above 0'],
    ['that is no number', Number.NaN, 'is not a number of milliseconds above 0'],
  ])('%s is refused', async (_which, ms, message) => {
    const { capability, calls } = createHeld('held', { timeoutMs: 1000, maxTimeoutMs: 1500 });
    const { start, requestOf } = createExecutorFixture([capability]);
    await start(requestOf('held'));
    await expect(calls[0]?.ctx.extend(ms)).rejects.toMatchObject({
      code: 'EXTENSION_REFUSED',
      message: expect.stringContaining(message),
    });
  });

  test('is bounded by an hour where the capability says nothing', async () => {
    const { capability, calls } = createHeld('held', { timeoutMs: 1000 });
    const { start, requestOf } = createExecutorFixture([capability]);
    await start(requestOf('held'));
    await calls[0]?.ctx.extend(3_600_000);
    await expect(calls[0]?.ctx.extend(1)).rejects.toMatchObject({ code: 'EXTENSION_REFUSED' });
  });
});

describe('an announcement to write', () => {
  const write = (more: Parameters<typeof createHeld>[1] = {}, acknowledges = true) => {
    const held = createHeld('held', { effects: 'writes', announcesWrites: true, ...more });
    const fixture = createExecutorFixture([held.capability]);
    const request = fixture.requestOf('held');
    const events: ExecutionEvent[] = [];
    const subscription = fixture.executor.run(request, (event) => events.push(event), { acknowledges });
    return { ...held, ...fixture, request, events, subscription };
  };

  test('resolves once the control plane knows it, and is made once', async () => {
    const { calls, events, subscription } = write();
    await settle();
    let isKnown = false;
    const announced = calls[0]?.ctx.willWrite().then(() => (isKnown = true));
    void calls[0]?.ctx.willWrite();
    subscription.acknowledge(0);
    await settle();
    expect(isKnown).toBe(false);
    expect(events.filter(of('writing'))).toMatchObject([{ seq: 1 }]);
    expect(ExecutionEvent.safeParse(events[1]).success).toBe(true);
    subscription.acknowledge(1);
    await announced;
    await calls[0]?.ctx.willWrite();
  });

  test('rejects when the lease is lost before', async () => {
    const { calls, executor, request } = write();
    await settle();
    const announced = calls[0]?.ctx.willWrite();
    executor.cancel(request.executionId, 'lease-lost');
    await expect(announced).rejects.toMatchObject({ name: 'ExecutionCancelled', kind: 'lease-lost' });
    await expect(calls[0]?.ctx.willWrite()).rejects.toBeInstanceOf(ExecutionCancelled);
  });

  test('does not wait where nobody acknowledges', async () => {
    const { calls, events } = write({}, false);
    await settle();
    await calls[0]?.ctx.willWrite();
    expect(events.filter(of('writing'))).toHaveLength(1);
  });

  test('says nothing for a capability that writes from its start', async () => {
    const { calls, events } = write({ announcesWrites: false });
    await settle();
    await calls[0]?.ctx.willWrite();
    expect(events.filter(of('writing'))).toHaveLength(0);
  });

  test('is an error for a capability that does not write', async () => {
    const { calls } = write({ effects: 'idempotent', announcesWrites: false });
    await settle();
    await expect(calls[0]?.ctx.willWrite()).rejects.toMatchObject({
      code: 'INVALID_CAPABILITY',
      message: expect.stringContaining('has the effects "idempotent"'),
    });
  });
});

describe('a value that is redacted', () => {
  const SECRET = 'hunter2"\\ü';

  test('leaves in no log, progress, checkpoint or error', async () => {
    const { start, requestOf } = createExecutorFixture([
      createTalk(async ({ redact, log, progress, checkpoint }) => {
        redact(SECRET);
        log.info(`key ${SECRET}`, { nested: [{ key: `a ${SECRET}` }] });
        await progress(0.5, `with ${SECRET}`);
        await checkpoint({ cursor: SECRET });
        throw new Error(`refused: ${SECRET}`, { cause: new Error(`${SECRET} is wrong`) });
      }),
    ]);
    const { events, last } = await start(requestOf('talk'));
    await settle();
    await settle();
    expect(last()).toMatchObject({ type: 'failed', error: { message: 'refused: [redacted]' } });
    expect(events).toMatchObject([
      { type: 'accepted' },
      { message: 'key [redacted]', fields: { nested: [{ key: 'a [redacted]' }] } },
      { message: 'with [redacted]' },
      { data: { cursor: '[redacted]' } },
      { type: 'failed' },
    ]);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  test('leaves in no output, however its chunks are cut', async () => {
    for (let cut = 1; cut < 7; cut++) {
      let write: CapabilityContext['output'] = () => undefined;
      const held = createHeld();
      const { start, requestOf, clock } = createExecutorFixture([held.capability]);
      const { events } = await start(requestOf('held'));
      const ctx = held.calls[0]?.ctx as CapabilityContext;
      ctx.redact('hunter2');
      write = ctx.output;
      write('stdout', `my ${'hunter2'.slice(0, cut)}`);
      await clock.advance(250);
      write('stdout', `${'hunter2'.slice(cut)} your hunt`);
      held.calls[0]?.resolve(1);
      await settle();
      const text = events.map((event) => (event.type === 'log' ? event.message : '')).join('');
      expect(text).toBe('my [redacted] your hunt');
    }
  });

  test('of several lines is hidden line by line as well', async () => {
    const { start, requestOf } = createExecutorFixture([
      createTalk(({ redact, log }) => {
        redact('-----BEGIN KEY-----\nMIIEvQIBADAN\n}\n');
        log.info('MIIEvQIBADAN {}');
      }),
    ]);
    const { events } = await start(requestOf('talk'));
    await settle();
    expect(events[1]).toMatchObject({ message: '[redacted] {}' });
  });
});
