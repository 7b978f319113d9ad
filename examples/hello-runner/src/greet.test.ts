import { createRunner } from '@controlplane/runner-sdk';
import { inMemoryHost, runCapability } from '@controlplane/runner-sdk/testing';
import { expect, test } from 'vitest';
import { greet } from './greet.js';

test('greets by name, and says so in its log', async () => {
  const run = await runCapability(greet, { name: 'Ada' });
  expect(run.outcome).toBe('succeeded');
  expect(run.data).toEqual({ message: 'Hello, Ada' });
  expect(run.logs).toContainEqual(expect.objectContaining({ message: 'greeting', fields: { name: 'Ada' } }));
  expect(run.progress.map(({ fraction }) => fraction)).toEqual([0.5]);
});

test('refuses an empty name', async () => {
  const run = await runCapability(greet, { name: '' });
  expect(run.error).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
});

test('greets everybody once, over a link that loses every other message', async () => {
  const host = inMemoryHost({ faults: { dropEvery: 2 }, seed: 7 });
  const runner = createRunner({
    name: 'hello',
    capabilities: [greet],
    hosts: [host],
    port: 0,
    handleSignals: false,
    logger: false,
  });
  await runner.start();
  const jobs = await Promise.all(['Ada', 'Bob', 'Eve'].map((name) => host.submit(greet, { name })));
  const outcomes = await host.clock.advanceUntil(Promise.all(jobs.map((job) => job.outcome())));
  expect(outcomes.map(({ data }) => data)).toEqual([
    { message: 'Hello, Ada' },
    { message: 'Hello, Bob' },
    { message: 'Hello, Eve' },
  ]);
  for (const job of jobs) expect(job.events().filter(({ type }) => type === 'succeeded')).toHaveLength(1);
  const stopped = runner.stop();
  await host.clock.advance('30s');
  await stopped;
});
