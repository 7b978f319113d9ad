import { JobSubmission } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { termsOf } from '../model/demand.js';
import type { Operations } from '../model/operations.js';
import { openForges } from '../testing/open-forge.js';
import type { StubExecution } from '../testing/stub-runner.js';
import { newLiveJob } from './live-job.js';
import { queueMetrics } from './queue-metrics.js';

const test = openForges();
afterEach(() => test.close());

const submission = (id: string, capability = 'echo', extra = {}): JobSubmission =>
  JobSubmission.parse({ id, type: 'x', payload: { type: capability, data: {} }, ...extra });

/** The value of one sample. */
function valueOf(operations: Operations, name: string, labels: Record<string, string> = {}): number {
  const families = operations.metrics();
  const samples = families.flatMap((family) =>
    family.samples.map((sample) => ({ ...sample, name: `${family.name}${sample.suffix ?? ''}` })),
  );
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  expect(found, `${name} ${JSON.stringify(labels)}`).toHaveLength(1);
  return found[0]?.value ?? Number.NaN;
}

const finish = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};

describe('what is measured', () => {
  it('tells how many jobs wait for a capability that nobody offers, and for how long', async () => {
    let now = 1_000_000;
    const forge = await test.forge({
      clock: { now: () => now, after: () => () => undefined },
    });
    await forge.operations.submitJob(submission('a', 'nobody.does'));
    now += 5_000;
    await forge.operations.submitJob(submission('b', 'nobody.does'));
    const capability = 'nobody.does';
    expect(valueOf(forge.operations, 'jobforge_queue_depth', { capability })).toBe(2);
    expect(valueOf(forge.operations, 'jobforge_queue_oldest_seconds', { capability })).toBe(5);
    expect(valueOf(forge.operations, 'jobforge_jobs', { capability, state: 'queued' })).toBe(2);
    expect(valueOf(forge.operations, 'jobforge_jobs_submitted_total')).toBe(2);
  });

  it('tells of runners, leases, slots, the time until a job was accepted, and ends', async () => {
    const { forge, runner } = await test.pair({ form: 'batch', handle: (execution) => execution.accept() });
    const { operations } = forge;
    expect(valueOf(operations, 'jobforge_queue_depth', { capability: 'echo' })).toBe(0);
    const job = await forge.submit({ capability: 'echo', input: {} });
    await expect.poll(() => valueOf(operations, 'jobforge_leases', { state: 'running' })).toBe(1);
    expect(valueOf(operations, 'jobforge_runners', { delivery: 'push', state: 'healthy' })).toBe(1);
    expect(valueOf(operations, 'jobforge_runner_slots')).toBe(10);
    expect(valueOf(operations, 'jobforge_runner_slots_taken')).toBe(1);
    expect(valueOf(operations, 'jobforge_dispatch_latency_seconds_count', { capability: 'echo' })).toBe(1);
    runner.executions[0]?.succeed();
    await job.result();
    expect(valueOf(operations, 'jobforge_leases', { state: 'running' })).toBe(0);
    expect(valueOf(operations, 'jobforge_jobs_ended_total', { status: 'completed' })).toBe(1);
    expect(valueOf(operations, 'jobforge_store_commits_total')).toBeGreaterThan(1);
    expect(valueOf(operations, 'jobforge_store_commit_seconds_count')).toBe(
      valueOf(operations, 'jobforge_store_commits_total'),
    );
  });

  it('counts attempts that were repeated and offers that came back', async () => {
    const refused = new Set<string>();
    const { forge } = await test.pair({
      form: 'batch',
      handle(execution) {
        const { jobId, attempt } = execution.request;
        if (!refused.has(jobId)) {
          refused.add(jobId);
          return execution.fail('RUNNER_BUSY', { retryable: true });
        }
        execution.accept();
        if (attempt === 1) execution.fail('EXECUTION_FAILED', { retryable: true });
        else execution.succeed();
      },
    });
    const retryPolicy = { maxRetries: 1, initialBackoffMs: 1, maxBackoffMs: 1 };
    await forge.operations.submitJob(submission('a', 'echo', { metadata: {}, retryPolicy }));
    expect(await forge.job('a').result()).toMatchObject({ success: true });
    expect(valueOf(forge.operations, 'jobforge_job_retries_total')).toBe(1);
    expect(valueOf(forge.operations, 'jobforge_offers_returned_total')).toBe(1);
  });

  it('has one series a store failure, and says that the store is up', async () => {
    const { forge } = await test.pair({ form: 'batch', handle: finish });
    expect(valueOf(forge.operations, 'jobforge_store_up')).toBe(1);
    expect(valueOf(forge.operations, 'jobforge_store_commit_failures_total')).toBe(0);
  });
});

describe('jobs by capability', () => {
  const job = (id: string, capability: string): ReturnType<typeof newLiveJob> => ({
    ...newLiveJob({
      ...{ id, type: 'x', capability, priority: 50, createdAt: 0, expiresAt: undefined },
      ...{
        timeoutMs: undefined,
        webhook: undefined,
        executionMetadata: '{}',
        carried: '',
        nextAt: 0,
        rank: 0,
      },
      terms: termsOf({ type: 'x', payload: { type: capability } }),
    }),
    phase: 'queued',
  });

  it('are listed by name for two hundred capabilities, those of runners first, the rest together', () => {
    const jobs = Array.from({ length: 300 }, (_, at) => job(`j${at}`, `made.up.${at}`));
    const families = queueMetrics([...jobs, job('mine', 'offered')], ['offered', 'idle'], 2_000);
    const depth = families.find(({ name }) => name === 'jobforge_queue_depth')?.samples ?? [];
    expect(depth).toHaveLength(202);
    expect(depth[0]).toMatchObject({ labels: { capability: 'offered' }, value: 1 });
    expect(depth.at(-2)).toMatchObject({ labels: { capability: 'idle' }, value: 0 });
    expect(depth.at(-1)).toMatchObject({ labels: { capability: 'other' }, value: 101 });
  });
});
