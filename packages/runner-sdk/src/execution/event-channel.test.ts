import type { ExecutionEvent } from '@controlplane/contracts';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import type { CapabilityContext } from '../capability/capability-context.js';
import { createExecutorFixture } from './executor-fixture.js';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const talk = (speak: (ctx: CapabilityContext) => unknown) =>
  defineCapability({
    id: 'talk',
    version: '1.0.0',
    description: 'For a test.',
    input: z.object({}),
    execute: (_input, ctx) => speak(ctx),
  });

describe('logs', () => {
  test('are cut at their bytes without splitting a character', async () => {
    const { start, requestOf } = createExecutorFixture([talk(({ log }) => log.info('aü😀'.repeat(1000)))], {
      limits: { maxLogEventBytes: 100 },
    });
    const { events } = await start(requestOf('talk'));
    await settle();
    const { message } = events[1] as Extract<ExecutionEvent, { type: 'log' }>;
    expect(message).not.toContain('�');
    expect(message).toMatch(/^(aü😀)+a?ü?… \[\d+ bytes more\]$/);
    expect(Buffer.byteLength(message.split('…')[0] ?? '')).toBeLessThanOrEqual(100);
  });

  test('redact secrets, and leave out fields that are too large', async () => {
    const { start, requestOf } = createExecutorFixture(
      [
        talk(({ log }) => {
          log.warn('a', { password: 'x', ok: 1 });
          log.error('b', { list: Array.from({ length: 90 }, () => 'y'.repeat(500)) });
        }),
      ],
      { limits: { maxLogEventBytes: 1000 } },
    );
    const { events } = await start(requestOf('talk'));
    await settle();
    expect(events[1]).toMatchObject({ level: 'warn', fields: { password: '[redacted]', ok: 1 } });
    expect(events[2]).toMatchObject({
      level: 'error',
      fields: { truncated: expect.stringContaining('bytes of fields were left out') },
    });
  });
});

describe('progress', () => {
  test('stays between 0 and 1', async () => {
    const { start, requestOf } = createExecutorFixture([
      talk(async ({ progress }) => {
        await progress(-1);
        await progress(7);
        await progress(Number.NaN);
      }),
    ]);
    const { events } = await start(requestOf('talk'));
    await settle();
    expect(events.flatMap((event) => (event.type === 'progress' ? [event.fraction] : []))).toEqual([0, 1, 0]);
  });

  test('is kept only as it was last, in its place', async () => {
    const { start, requestOf } = createExecutorFixture([
      talk(async ({ progress, log }) => {
        for (let index = 0; index < 1000; index++) await progress(index / 1000);
        log.info('after');
      }),
    ]);
    const first = await start(requestOf('talk'));
    await new Promise((resolve) => setTimeout(resolve, 0));
    await settle();
    const again = await start(first.request);
    expect(first.events).toHaveLength(1003);
    expect(again.events.map(({ type, seq }) => `${seq} ${type}`)).toEqual([
      '0 accepted',
      '1000 progress',
      '1001 log',
      '1002 succeeded',
    ]);
  });
});

describe('the stream of an execution', () => {
  test('yields every event and ends', async () => {
    const { executor, requestOf } = createExecutorFixture([
      talk(({ log }) => {
        log.info('one');
        return 1;
      }),
    ]);
    const seen: string[] = [];
    for await (const event of executor.execute(requestOf('talk'))) seen.push(event.type);
    expect(seen).toEqual(['accepted', 'log', 'succeeded']);
  });

  test('is cancelled by its signal, and left alone by a reader that leaves', async () => {
    const { executor, requestOf, clock } = createExecutorFixture([
      talk(
        ({ signal }) =>
          new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped')))),
      ),
    ]);
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of executor.execute(requestOf('talk'), { signal: stop.signal })) {
      seen.push(event.type);
      stop.abort();
    }
    expect(seen).toEqual(['accepted', 'cancelled']);
    for await (const event of executor.execute(requestOf('talk'))) if (event.type === 'accepted') break;
    await clock.advance(0);
    expect(executor.running()).toHaveLength(1);
  });

  test('that was never begun because its signal was aborted ends as cancelled', async () => {
    const { executor, requestOf } = createExecutorFixture([
      talk(
        ({ signal }) =>
          new Promise((_, reject) => {
            if (signal.aborted) reject(new Error('stopped'));
            else signal.addEventListener('abort', () => reject(new Error('stopped')));
          }),
      ),
    ]);
    const seen: string[] = [];
    for await (const event of executor.execute(requestOf('talk'), { signal: AbortSignal.abort() }))
      seen.push(event.type);
    expect(seen.at(-1)).toBe('cancelled');
  });
});
