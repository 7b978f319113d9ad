import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defineCapability } from '../capability/define-capability.js';
import { inMemoryHost } from '../hosts/in-memory/in-memory-host.js';
import { createDeferred } from '../util/deferred.js';
import { startRunner } from './attached-runner.suite.js';

const words = { version: '1.0.0', description: 'For a test.', input: z.object({}) };

test('files that executions leave are with their job, of one name the last', async () => {
  const host = inMemoryHost();
  const leaving = defineCapability({
    ...words,
    id: 'leaving',
    async execute(_input, ctx) {
      await ctx.artifact('report.txt', `attempt ${ctx.attempt}`);
      if (ctx.attempt === 1) throw new Error('again');
      return ctx.artifact('data', Readable.from(['a', 'b']));
    },
  });
  await startRunner(host, [leaving]);
  const job = await host.submit(leaving, {}, { retryPolicy: { maxRetries: 1, backoffMs: 0 } });
  const outcome = await host.clock.advanceUntil(job.outcome());
  expect(outcome).toMatchObject({ state: 'completed', data: { name: 'data', bytes: 2, jobId: job.id } });
  expect(job.artifacts().map(({ name, content }) => [name, content.toString()])).toEqual([
    ['report.txt', 'attempt 2'],
    ['data', 'ab'],
  ]);
});

test('a file waits for a link that is cut, and is not taken from an execution that has lost its lease', async () => {
  const host = inMemoryHost({ lease: '5s', heartbeatInterval: '1s' });
  const go = [createDeferred<void>(), createDeferred<void>()] as const;
  const problems: unknown[] = [];
  const leaving = defineCapability({
    ...words,
    id: 'leaving',
    async execute(_input, ctx) {
      if (ctx.attempt === 2) return go[1].promise;
      await go[0].promise;
      await ctx.artifact('late', 'text').catch((error: unknown) => problems.push(error));
    },
  });
  await startRunner(host, [leaving]);
  const job = await host.submit(leaving, {}, { retryPolicy: { maxRetries: 1, backoffMs: 0 } });
  host.disconnect();
  go[0].resolve();
  await host.clock.advance('20s');
  expect(job.artifacts()).toEqual([]);
  host.reconnect();
  await host.clock.advance('5s');
  expect(problems).toHaveLength(1);
  go[1].resolve();
  expect(await host.clock.advanceUntil(job.outcome())).toMatchObject({ state: 'completed', attempts: 2 });
  expect(job.artifacts()).toEqual([]);
});
