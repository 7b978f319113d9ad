import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';

const test = openForges();
afterEach(test.close);

const echo = { capability: 'echo', input: { text: 'hi' } };

it('the last checkpoint is handed to the next attempt', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    handle(execution) {
      execution.accept();
      if (execution.request.attempt > 1) return execution.succeed();
      execution.send({ type: 'checkpoint', data: { done: 1 } });
      execution.send({ type: 'checkpoint', data: { done: 2 } });
      execution.fail('UPSTREAM', { retryable: true });
    },
  });
  const job = await forge.submit({ ...echo, retryPolicy: { backoffMs: 1 } });
  expect(await job.result()).toMatchObject({ success: true });
  expect(runner.executions.map(({ request }) => request.checkpoint)).toEqual([undefined, { done: 2 }]);
});

it('a checkpoint that is too large leaves the one before it', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    limits: { maxCheckpointBytes: 20 },
    handle(execution) {
      execution.accept();
      if (execution.request.attempt > 1) return execution.succeed();
      execution.send({ type: 'checkpoint', data: 'small' });
      execution.send({ type: 'checkpoint', data: 'x'.repeat(100) });
      execution.fail('UPSTREAM', { retryable: true });
    },
  });
  const job = await forge.submit({ ...echo, retryPolicy: { backoffMs: 1 } });
  await job.result();
  expect(runner.executions[1]?.request.checkpoint).toBe('small');
});

it('a checkpoint that comes with the end goes with it', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    handle(execution) {
      execution.accept();
      if (execution.request.attempt > 1) return execution.succeed();
      execution.send({ type: 'checkpoint', data: { done: 1 } });
      execution.fail('BROKEN');
    },
  });
  const job = await forge.submit(echo);
  expect(await job.result()).toMatchObject({ success: false });
  await forge.operations.retryJob(job.id);
  expect((await runner.execution(1)).request.checkpoint).toBeUndefined();
});

it('a checkpoint survives a restart', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'jobforge-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const store = `sqlite:${join(folder, 'jobs.db')}`;
  const runner = await test.runner({
    form: 'batch',
    handle(execution) {
      execution.accept();
      if (execution.request.attempt > 1) return execution.succeed();
      execution.send({ type: 'checkpoint', data: { done: 1 } });
      execution.fail('UPSTREAM', { retryable: true });
    },
  });
  const first = await test.forge({ store });
  await first.operations.registerRunner(runner.registration());
  const job = await first.submit({ ...echo, id: 'a', retryPolicy: { backoffMs: 300 } });
  for await (const { type } of job.events()) if (type === 'job.retrying') break;
  await first.stop({ drainMs: 0 });
  const second = await test.forge({ store });
  expect(await second.job('a').result()).toMatchObject({ success: true });
  expect(runner.executions[1]?.request.checkpoint).toEqual({ done: 1 });
});

it.each([
  ['lives on by as much as it may', 10_000, true],
  ['ends where the extension is beyond the bound', 1, false],
])('an execution that extends its limit %s', async (_, maxExtensionMs, success) => {
  const clock = createManualClock();
  const forge = await test.forge({ clock, limits: { maxExtensionMs, overdueMs: 50 } });
  const runner = await test.runner({
    form: 'batch',
    handle(execution) {
      execution.accept();
      execution.send({ type: 'extended', timeoutMs: 5_000 });
      execution.send({ type: 'log', level: 'info', message: 'extended' });
    },
  });
  await forge.operations.registerRunner(runner.registration());
  const job = await forge.submit({ ...echo, timeoutMs: 50, retryPolicy: { maxRetries: 0 } });
  for await (const { type } of job.events()) if (type === 'job.log') break;
  // Longer than its limit of 50 ms and what JobForge adds to it.
  clock.advance(4_000);
  if (success) (await runner.execution(0)).succeed();
  const result = await job.result();
  expect(result.success).toBe(success);
  expect(result.error?.code).toBe(success ? undefined : 'EXECUTION_TIMEOUT');
});
