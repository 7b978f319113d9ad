import { JobSubmission, type JobResponse } from '@controlplane/contracts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type { JobForge } from '../control-plane.js';
import type { JobInput, JobHandle } from '../embedded/job-handle.js';
import type { JobForgeOptions } from '../options.js';
import { createManualClock, type ManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubRunner } from '../testing/stub-runner.js';

const test = openForges();
afterEach(() => test.close());

interface Stage {
  readonly forge: JobForge;
  readonly runner: StubRunner;
  readonly clock: ManualClock;
  submit(id: string, job?: Partial<JobInput>): Promise<JobHandle>;
}

/** A JobForge with a runner that accepts what it gets and ends it when the test says so. */
async function stage(
  options: JobForgeOptions = {},
  registration: Record<string, unknown> = {},
): Promise<Stage> {
  const clock = createManualClock();
  const forge = await test.forge({ clock, ...options });
  const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
  await forge.operations.registerRunner(runner.registration(registration));
  return {
    ...{ forge, runner, clock },
    submit: (id, job) => forge.submit({ id, capability: 'echo', input: {}, ...job }),
  };
}

/** Resolves with a job once it is in a state. */
async function reached(job: JobHandle, status: JobResponse['status']): Promise<JobResponse> {
  for await (const event of job.events()) {
    const shown = await job.show();
    if (shown.status === status || event.type === 'job.completed') return shown;
  }
  return job.show();
}

describe('a concurrency key', () => {
  const concurrency = { key: 'deploy' };

  it('lets one of its jobs run at a time, in their order, and others beside them', async () => {
    const { runner, submit } = await stage();
    const [first, second] = [await submit('a', { concurrency }), await submit('b', { concurrency })];
    expect(await second.show()).toMatchObject({
      status: 'queued',
      waitingFor: 'the concurrency key "deploy" is taken (1 of 1 running)',
    });
    await submit('c', { concurrency: { key: 'other' } });
    await submit('d');
    expect((await runner.execution(2)).request.jobId).toBe('d');
    (await runner.execution(0)).succeed({});
    await first.result();
    expect((await runner.execution(3)).request.jobId).toBe('b');
  });

  it('is free again while a job of it waits for its next attempt', async () => {
    const { runner, submit } = await stage();
    await submit('a', { concurrency });
    await submit('b', { concurrency });
    (await runner.execution(0)).fail('EXECUTION_FAILED', { retryable: true });
    expect((await runner.execution(1)).request.jobId).toBe('b');
  });

  it('lets as many run at once as each of them allows', async () => {
    const { runner, submit, forge } = await stage();
    for (const id of ['a', 'b', 'c']) await submit(id, { concurrency: { key: 'k', limit: 2 } });
    await runner.execution(1);
    expect(await forge.operations.whyJob('c')).toMatchObject({
      needs: ['concurrency k (2 at once)'],
      reason: 'the concurrency key "k" is taken (2 of 2 running)',
      wouldRunIf: ['a job of the concurrency key "k" ended'],
    });
  });

  it('turns the newest away', async () => {
    const { runner, submit } = await stage();
    const newest = { ...concurrency, onConflict: 'cancel-newest' } as const;
    const first = await submit('a', { concurrency: newest });
    const second = await submit('b', { concurrency: newest });
    expect(await second.result()).toMatchObject({
      success: false,
      error: {
        code: 'EXECUTION_CANCELLED',
        message: 'The job was cancelled: 1 of the concurrency key "deploy" had not ended when it came.',
      },
    });
    expect((await second.show()).status).toBe('cancelled');
    (await runner.execution(0)).succeed({});
    expect(await first.result()).toMatchObject({ success: true });
    await submit('c', { concurrency: newest });
    expect((await runner.execution(1)).request.jobId).toBe('c');
  });

  it('cancels the oldest, and runs the newest once that has stopped', async () => {
    const { runner, submit } = await stage();
    const oldest = { ...concurrency, onConflict: 'cancel-oldest' } as const;
    const first = await submit('a', { concurrency: oldest });
    const running = await runner.execution(0);
    const waiting = await submit('b', { concurrency: oldest });
    const last = await submit('c', { concurrency: oldest });
    expect(await waiting.result()).toMatchObject({
      error: {
        code: 'EXECUTION_CANCELLED',
        message: 'The job was cancelled: a later one of the concurrency key "deploy" took its place.',
      },
    });
    expect((await last.show()).status).toBe('queued');
    running.send({ type: 'cancelled', reason: 'user', executionTimeMs: 1 });
    expect(await first.result()).toMatchObject({
      error: {
        message: 'The job was cancelled: a later one of the concurrency key "deploy" took its place.',
      },
    });
    const next = await runner.execution(1);
    expect(next.request.jobId).toBe('c');
    next.succeed({});
    expect(await last.result()).toMatchObject({ success: true });
  });

  it('cancels the oldest of those that come together', async () => {
    const { forge, runner } = await stage();
    const oldest = { ...concurrency, onConflict: 'cancel-oldest' } as const;
    const submission = (id: string): JobSubmission =>
      JobSubmission.parse({ id, type: 'echo', payload: { type: 'echo', data: {} }, concurrency: oldest });
    await forge.operations.submitJobs(['a', 'b', 'c'].map(submission));
    const first = await runner.execution(0);
    expect(first.request.jobId).toBe('a');
    first.send({ type: 'cancelled', reason: 'user', executionTimeMs: 1 });
    expect((await runner.execution(1)).request.jobId).toBe('c');
    expect((await forge.job('b').show()).status).toBe('cancelled');
  });

  it('leaves those alone that came later while a job of it waits for its next attempt, over a restart', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const before = await stage({ store });
    const oldest = { ...concurrency, onConflict: 'cancel-oldest' } as const;
    const retryPolicy = { backoffMs: 1_000, jitter: false };
    const first = await before.submit('a', { concurrency: oldest, retryPolicy });
    (await before.runner.execution(0)).fail('EXECUTION_FAILED', { retryable: true });
    for await (const { type } of first.events()) if (type === 'job.retrying') break;
    await before.submit('b', { concurrency });
    await before.runner.execution(1);
    await before.forge.stop({ drainMs: 0 });
    const clock = createManualClock(before.clock.now());
    const forge = await test.forge({ store, clock });
    const again = await before.runner.execution(2);
    expect(again.request.jobId).toBe('b');
    clock.advance(1_000);
    expect(await forge.job('a').show()).toMatchObject({ status: 'queued' });
    again.succeed({});
    expect(await forge.job('b').result()).toMatchObject({ success: true });
    (await before.runner.execution(3)).succeed({});
    expect(await forge.job('a').result()).toMatchObject({ success: true });
    expect(before.runner.cancelled).toEqual([]);
  });

  it('counts a job from when it may start', async () => {
    const { runner, submit, clock } = await stage();
    const newest = { ...concurrency, onConflict: 'cancel-newest' } as const;
    const scheduledAt = new Date(clock.now() + 1_000).toISOString();
    const later = await submit('later', { concurrency: newest, metadata: { scheduledAt } });
    await submit('now', { concurrency: newest });
    expect((await runner.execution(0)).request.jobId).toBe('now');
    clock.advance(1_000);
    expect((await reached(later, 'cancelled')).status).toBe('cancelled');
  });
});

describe('a rate', () => {
  const rateLimit = { limit: 2, intervalMs: 1_000 };

  it.each([
    ['declared by a capability', {}, { capabilities: [{ ...ECHO, rateLimit }] }],
    [
      'set by an option, before what is declared',
      { rateLimits: { echo: rateLimit } },
      {
        capabilities: [{ ...ECHO, rateLimit: { limit: 1, intervalMs: 60_000 } }],
      },
    ],
  ])('holds back what would be too much: %s', async (_, options, registration) => {
    const { forge, runner, submit, clock } = await stage(options, registration);
    for (const id of ['a', 'b', 'c', 'd']) await submit(id);
    await runner.execution(1);
    const next = new Date(clock.now() + 500).toISOString();
    expect(await forge.operations.whyJob('c')).toMatchObject({
      reason: `stub may begin 2 of echo in 1000 ms, the next at ${next}`,
      runners: [{ name: 'stub', fails: 'rate-limit' }],
      wouldRunIf: [`it were ${next}`],
    });
    clock.advance(499);
    expect(runner.executions).toHaveLength(2);
    clock.advance(1);
    expect((await runner.execution(2)).request.jobId).toBe('c');
    clock.advance(500);
    expect((await runner.execution(3)).request.jobId).toBe('d');
  });

  it('is the strictest of those that runners declare, over all of them', async () => {
    const { forge, runner, submit } = await stage({}, { capabilities: [{ ...ECHO, rateLimit }] });
    const other = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
    const strict = { ...ECHO, rateLimit: { limit: 1, intervalMs: 1_000 } };
    await forge.operations.registerRunner(
      other.registration({ name: 'other', instanceId: 'i2', capabilities: [strict] }),
    );
    for (const id of ['a', 'b', 'c']) await submit(id);
    await Promise.race([runner.execution(0), other.execution(0)]);
    expect(await forge.operations.whyJob('b')).toMatchObject({
      status: 'queued',
      reason: expect.stringMatching(/may begin 1 of echo/),
    });
    expect(runner.executions.length + other.executions.length).toBe(1);
  });

  it('is refused as an option where it is none', async () => {
    const odd = { rateLimits: { echo: { limit: 0, intervalMs: 1 } } };
    await expect(test.forge(odd)).rejects.toThrow(/rateLimits\["echo"\] is \{"limit":0,"intervalMs":1\}/);
  });
});
