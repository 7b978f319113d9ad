import { JobSubmission, type JobEvent } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import type { StubExecution } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

const FORMS = ['json', 'ndjson', 'batch'] as const;
const quick = { retryPolicy: { backoffMs: 1, maxBackoffMs: 2 } };
const echo = { capability: 'echo', input: { text: 'hi' } };

const succeed = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};

async function idsOf(events: AsyncIterable<JobEvent>): Promise<string[]> {
  const ids: string[] = [];
  for await (const event of events) ids.push(`${event.id} ${event.type}`);
  return ids;
}

describe.each(FORMS)('over the %s form', (form) => {
  it('a retryable failure is tried again, a permanent one is not', async () => {
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        if (runner.executions.length === 1) execution.fail('EXECUTION_FAILED', { retryable: true });
        else execution.fail('MY_OWN', { retryable: false });
      },
    });
    const job = await forge.submit({ ...echo, ...quick });
    expect(await job.result()).toMatchObject({
      success: false,
      error: { code: 'MY_OWN' },
      metadata: { attempts: 2 },
    });
    expect(runner.executions.map(({ request }) => request.attempt)).toEqual([1, 2]);
    const [first, second] = runner.executions;
    expect(first?.request.executionId).not.toBe(second?.request.executionId);
    expect(first?.request.leaseToken).not.toBe(second?.request.leaseToken);
  });

  it('retries end with the policy', async () => {
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        execution.accept();
        execution.fail('EXECUTION_FAILED', { retryable: true });
      },
    });
    const job = await forge.submit({
      ...echo,
      retryPolicy: { maxRetries: 2, backoffMs: 1, maxBackoffMs: 1 },
    });
    expect(await job.result()).toMatchObject({ success: false, metadata: { attempts: 3 } });
    expect(runner.executions).toHaveLength(3);
  });

  it('a busy runner gets the job later, at no cost to it', async () => {
    const { forge, runner } = await test.pair({
      form,
      handle(execution) {
        if (runner.executions.length <= 2)
          return execution.fail('RUNNER_BUSY', { category: 'RATE_LIMITED', retryable: true });
        succeed(execution);
      },
    });
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(runner.executions.map(({ request }) => request.attempt)).toEqual([1, 1, 1]);
    expect(await idsOf(job.events())).toEqual([
      '0.0 job.created',
      '0.1 job.queued',
      '1.0 job.started',
      '1.1 job.completed',
    ]);
  });

  it('cancelling a running job stops it', async () => {
    const { forge, runner } = await test.pair({ form, handle: (execution) => execution.accept() });
    const job = await forge.submit(echo);
    const { request, send } = await runner.execution(0);
    for await (const { type } of job.events()) if (type === 'job.started') break;
    expect(await job.cancel()).toMatchObject({ id: job.id });
    if (form !== 'json') send({ type: 'cancelled', reason: 'user' });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
    expect(await job.show()).toMatchObject({ status: 'cancelled' });
    if (form !== 'json') await expect.poll(() => runner.cancelled).toEqual([request.executionId]);
    await expect(job.cancel()).rejects.toMatchObject({ envelope: { code: 'JOB_FINISHED' } });
  });

  it('a hundred jobs complete once each', async () => {
    const { forge, runner } = await test.pair({ form, handle: succeed });
    const submissions = Array.from({ length: 100 }, (_, n) =>
      JobSubmission.parse({ type: 'x', payload: { type: 'echo', data: { n } } }),
    );
    const entries = await forge.operations.submitJobs(submissions);
    const results = await Promise.all(entries.map((entry) => forge.job(entry.id ?? '').result()));
    expect(results.map(({ data }) => data)).toEqual(
      submissions.map(({ payload }) => ({ echoed: payload.data })),
    );
    expect(runner.executions).toHaveLength(100);
    if (form === 'batch') expect(runner.posts).toBeLessThan(50);
  });
});

describe('limits', () => {
  it.each(FORMS)('an execution that does not end is ended after its time limit (%s)', async (form) => {
    const { forge, runner } = await test.pair({
      form,
      limits: { overdueMs: 20, offerMs: 200 },
      handle: (execution) => execution.accept(),
    });
    const job = await forge.submit({ ...echo, timeoutMs: 30, retryPolicy: { maxRetries: 0 } });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_TIMEOUT' } });
    if (form !== 'json') await expect.poll(() => runner.cancelled).toHaveLength(1);
    expect((await forge.operations.listRunners())[0]?.activeExecutions).toBe(0);
  });

  it('a runner that does not stop what is cancelled is given up', async () => {
    const { forge } = await test.pair({
      form: 'batch',
      limits: { cancelGraceMs: 20, offerMs: 200 },
      handle: (execution) => execution.accept(),
    });
    const job = await forge.submit(echo);
    for await (const { type } of job.events()) if (type === 'job.started') break;
    await job.cancel();
    expect(await job.result()).toMatchObject({
      success: false,
      error: { code: 'EXECUTION_CANCELLED', message: expect.stringContaining('did not stop') as string },
    });
  });

  it('one request never carries more than runners read', async () => {
    const { forge, runner } = await test.pair({
      form: 'batch',
      limits: { maxBodyBytes: 8_000 },
      handle: succeed,
    });
    const jobs = await forge.operations.submitJobs(
      Array.from({ length: 20 }, () =>
        JobSubmission.parse({ type: 'x', payload: { type: 'echo', data: { text: 'ä'.repeat(900) } } }),
      ),
    );
    for (const { id } of jobs) expect(await forge.job(id ?? '').result()).toMatchObject({ success: true });
    expect(runner.posts).toBeGreaterThanOrEqual(6);
  });

  it('a reply larger than the limit fails its execution', async () => {
    const { forge } = await test.pair({
      form: 'json',
      limits: { maxBodyBytes: 8_000 },
      handle: (execution) => execution.succeed('x'.repeat(9_000)),
    });
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({
      success: false,
      error: {
        code: 'RUNNER_PROTOCOL_ERROR',
        message: expect.stringContaining('larger than 8000 bytes') as string,
      },
    });
  });
});

it('a runner that is started anew while a job for it is being written does not get that job twice, nor loses it', async () => {
  const { forge, runner } = await test.pair({
    form: 'batch',
    limits: { maxCommitOperations: 1 },
    handle: succeed,
  });
  const registered = forge.operations.registerRunner(runner.registration({ instanceId: 'i2' }));
  const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 0 } });
  await registered;
  expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
  expect(runner.executions).toHaveLength(1);
});
