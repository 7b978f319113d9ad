import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { inMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { sleep } from '../util/clock.js';
import { startRunner } from './attached-runner.suite.js';

const words = { version: '1.0.0', description: 'For a test.' };

test('the last checkpoint of an attempt is handed to the next one', async () => {
  const host = inMemoryHost();
  const seen: unknown[] = [];
  const walk = defineCapability({
    ...words,
    id: 'walk',
    input: z.object({}),
    checkpoint: z.object({ step: z.int() }),
    async execute(_input, ctx) {
      seen.push(ctx.lastCheckpoint);
      await ctx.checkpoint({ step: ctx.attempt });
      if (ctx.attempt < 3) throw new Error('not yet');
    },
  });
  await startRunner(host, [walk]);
  const job = await host.submit('walk', {}, { retryPolicy: {} });
  await host.clock.advanceUntil(job.outcome());
  expect(seen).toEqual([undefined, { step: 1 }, { step: 2 }]);
});

test.each([
  ['before it has announced to write, is tried again', 15_000, { state: 'completed', attempts: 2 }],
  [
    'after it has announced to write, has failed',
    5_000,
    { state: 'failed', error: { code: 'EXECUTION_TIMEOUT', retryable: false }, attempts: 1 },
  ],
])('a job whose time is over %s', async (_when, writesAfterMs, outcome) => {
  const host = inMemoryHost();
  const write = defineCapability({
    ...words,
    id: 'write',
    input: z.object({}),
    effects: 'writes',
    announcesWrites: true,
    timeoutMs: 10_000,
    async execute(_input, ctx) {
      if (ctx.attempt > 1) return;
      await sleep(host.clock, writesAfterMs, ctx.signal);
      ctx.signal.throwIfAborted();
      await ctx.willWrite();
      await sleep(host.clock, 15_000, ctx.signal);
      ctx.signal.throwIfAborted();
    },
  });
  await startRunner(host, [write]);
  const job = await host.submit('write', {}, { retryPolicy: {} });
  expect(await host.clock.advanceUntil(job.outcome())).toMatchObject(outcome);
});

test.each([
  ['before it has announced to write, is offered again', 5_000, { state: 'completed', attempts: 2 }],
  [
    'after it has announced to write, has failed',
    15_000,
    { state: 'failed', error: { code: 'RUNNER_LOST' }, attempts: 1 },
  ],
])('a job whose runner is lost %s', async (_when, afterMs, outcome) => {
  const host = inMemoryHost();
  const write = defineCapability({
    ...words,
    id: 'write',
    input: z.object({}),
    effects: 'writes',
    announcesWrites: true,
    async execute(_input, ctx) {
      await sleep(host.clock, 10_000, ctx.signal);
      await ctx.willWrite();
      await sleep(host.clock, 15_000, ctx.signal);
    },
  });
  await startRunner(host, [write]);
  const job = await host.submit('write', {}, { retryPolicy: {} });
  await host.clock.advance(afterMs);
  host.disconnect();
  await host.clock.advance('21s');
  host.reconnect();
  await host.clock.advance('1m');
  expect(await job.outcome()).toMatchObject(outcome);
});
