import { JobSubmission, type JobListQuery } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { createManualClock } from '../testing/manual-clock.js';
import { openForges } from '../testing/open-forge.js';
import { ECHO, type StubExecution } from '../testing/stub-runner.js';

const test = openForges();
afterEach(test.close);

const finish = (execution: StubExecution): void => {
  execution.accept();
  execution.succeed();
};

const submission = (overrides: Record<string, unknown> = {}): JobSubmission =>
  JobSubmission.parse({ type: 'x', payload: { type: 'echo', data: { text: 'hi' } }, ...overrides });

describe('submitting', () => {
  it('answers a repeated submission with the job that exists, in any order of members', async () => {
    const forge = await test.forge();
    const first = await forge.operations.submitJob(
      submission({ id: 'a', payload: { type: 'echo', data: { a: 1, b: { c: 2, d: 3 } } } }),
    );
    const again = await forge.operations.submitJob(
      submission({ id: 'a', payload: { data: { b: { d: 3, c: 2 }, a: 1 }, type: 'echo' } }),
    );
    expect([first.created, again.created]).toEqual([true, false]);
    expect(again.job).toMatchObject({ id: 'a', status: 'queued' });
  });

  it('refuses what names nothing but an id that no capability can have, with what was probably meant', async () => {
    const { forge } = await test.pair({ form: 'batch', handle: finish });
    const asked = { type: 'Echo!', payload: { type: 'Echo!', data: {} } };
    await expect(forge.operations.submitJob(submission(asked))).rejects.toMatchObject({
      envelope: {
        code: 'VALIDATION_ERROR',
        details: [
          {
            path: ['payload', 'type'],
            message: '"Echo!" cannot be the id of a capability (did you mean echo?)',
          },
        ],
        remedy: expect.stringContaining('1–128 characters'),
      },
    });
    // By its type a job asks for something else than by id: that may yet be offered.
    expect(await forge.operations.submitJob(submission({ ...asked, type: 'a' }))).toMatchObject({
      created: true,
    });
  });

  it('takes a type of jobs that a runner supports, whatever it is called', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form: 'batch', handle: finish });
    const capabilities = [{ ...ECHO, supportedJobTypes: ['Send Email'] }];
    await forge.operations.registerRunner(runner.registration({ capabilities }));
    const asked = { id: 'a', type: 'Send Email', payload: { type: 'Send Email', data: { text: 'hi' } } };
    await forge.operations.submitJob(submission(asked));
    expect(await forge.job('a').result()).toMatchObject({ success: true });
  });

  it.each([
    ['payload', { payload: { type: 'echo', data: { text: 'other' } } }],
    ['priority', { priority: 90 }],
    ['type', { type: 'y' }],
    ['timeout', { timeoutMs: 5 }],
    ['metadata', { metadata: { userId: 'u' } }],
    ['retry policy', { retryPolicy: { maxRetries: 9 } }],
  ])('refuses the same id with another %s', async (_, overrides) => {
    const forge = await test.forge();
    await forge.operations.submitJob(submission({ id: 'a' }));
    await expect(forge.operations.submitJob(submission({ id: 'a', ...overrides }))).rejects.toMatchObject({
      envelope: { code: 'JOB_CONFLICT' },
    });
  });

  it('runs a job once that is submitted many times at once', async () => {
    const { forge, runner } = await test.pair({ form: 'batch', handle: finish });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => forge.operations.submitJob(submission({ id: 'a' }))),
    );
    expect(answers.filter(({ created }) => created)).toHaveLength(1);
    expect(await forge.job('a').result()).toMatchObject({ success: true });
    expect(runner.executions).toHaveLength(1);
    expect((await forge.operations.listRunners())[0]?.activeExecutions).toBe(0);
  });

  it('refuses an input that every offering runner refuses, with its path, and queues nothing', async () => {
    const inputSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
    const { forge, runner } = await test.pair({ form: 'batch', handle: finish });
    await forge.operations.registerRunner(runner.registration({ capabilities: [{ ...ECHO, inputSchema }] }));
    await expect(forge.submit({ capability: 'echo', input: { nam: 'Ada' } })).rejects.toMatchObject({
      envelope: {
        code: 'VALIDATION_ERROR',
        details: [{ path: ['input', 'name'], message: 'expected string, received undefined' }],
      },
    });
    await expect(forge.submit({ capability: 'echo', input: { name: 42 } })).rejects.toMatchObject({
      envelope: { details: [{ path: ['input', 'name'], message: 'expected string, received number' }] },
    });
    expect((await forge.operations.listJobs({ limit: 10 })).items).toEqual([]);
  });

  it('takes a registration whose schema cannot be compiled, says so when it is needed, and checks nothing', async () => {
    const said: string[] = [];
    const forge = await test.forge({
      log: (severity, message) => void (severity === 'warn' && said.push(message)),
    });
    const runner = await test.runner({ form: 'batch', handle: finish });
    await forge.operations.registerRunner(
      runner.registration({ capabilities: [{ ...ECHO, inputSchema: { type: 'no-such-type' } }] }),
    );
    expect(await (await forge.submit({ capability: 'echo', input: { any: 1 } })).result()).toMatchObject({
      success: true,
    });
    expect(said).toEqual([
      'an input schema cannot be compiled: inputs of this capability are not checked at submit',
    ]);
  });

  it('answers each of a batch on its own', async () => {
    const forge = await test.forge();
    await forge.operations.submitJob(submission({ id: 'a' }));
    const entries = await forge.operations.submitJobs([
      submission({ id: 'a' }),
      submission({ id: 'a', priority: 1 }),
      submission({ id: 'b' }),
    ]);
    expect(entries).toMatchObject([
      { id: 'a', status: 'queued' },
      { id: 'a', error: { code: 'JOB_CONFLICT' } },
      { id: 'b', status: 'queued' },
    ]);
  });

  it('says why a job waits', async () => {
    const { forge } = await test.pair({ form: 'batch', handle: finish });
    const { job } = await forge.operations.submitJob(
      submission({ payload: { type: 'image.resize', data: {} } }),
    );
    expect(job.waitingFor).toBe('no runner offers image.resize yet (known: echo)');
  });

  it('finds a capability by job type where none has the id', async () => {
    const { forge, runner } = await test.pair({ form: 'batch', handle: finish });
    const { job } = await forge.operations.submitJob(
      submission({ type: 'echo.job', payload: { type: 'other', data: {} } }),
    );
    expect(await forge.job(job.id).result()).toMatchObject({ success: true });
    expect(runner.executions[0]?.request.capabilityId).toBe('echo');
  });
});

describe('the order of work', () => {
  it('is priority first, then submission, within the slots of the runner and of the capability', async () => {
    const forge = await test.forge();
    const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
    const priorities = [10, 50, 90, 50, 10, 90];
    await forge.operations.submitJobs(
      priorities.map((priority, index) => submission({ id: `j${index}`, priority })),
    );
    await forge.operations.registerRunner(
      runner.registration({ maxConcurrency: 2, capabilities: [{ ...ECHO, maxConcurrency: 1 }] }),
    );
    const order: string[] = [];
    for (let index = 0; index < priorities.length; index += 1) {
      const execution = await runner.execution(index);
      order.push(execution.request.jobId);
      expect((await forge.operations.listRunners())[0]?.activeExecutions).toBe(1);
      execution.succeed();
    }
    expect(order).toEqual(['j2', 'j5', 'j1', 'j3', 'j0', 'j4']);
  });

  it('spreads jobs over the least loaded runners', async () => {
    const forge = await test.forge();
    const runners = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const runner = await test.runner({ form: 'batch', handle: (execution) => execution.accept() });
        await forge.operations.registerRunner(runner.registration({ name }));
        return runner;
      }),
    );
    await forge.operations.submitJobs(Array.from({ length: 8 }, () => submission()));
    await Promise.all(runners.map((runner) => runner.execution(3)));
    expect(runners.map(({ executions }) => executions.length)).toEqual([4, 4]);
  });

  it('a job that expires before it starts has failed', async () => {
    const forge = await test.forge();
    const expiresAt = new Date(Date.now() + 30).toISOString();
    const job = await forge.submit({ capability: 'echo', input: {}, metadata: { expiresAt } });
    const types: string[] = [];
    for await (const { type } of job.events()) types.push(type);
    expect(types).toEqual(['job.created', 'job.queued', 'job.expired']);
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'JOB_EXPIRED' } });
  });

  it('a job is not started before its time', async () => {
    const clock = createManualClock(Date.now());
    const forge = await test.forge({ clock });
    const runner = await test.runner({ form: 'batch', handle: finish });
    await forge.operations.registerRunner(runner.registration());
    const scheduledAt = new Date(clock.now() + 1_000).toISOString();
    const job = await forge.submit({ capability: 'echo', input: {}, metadata: { scheduledAt } });
    expect(await job.show()).toMatchObject({ status: 'pending' });
    clock.advance(999);
    expect(await job.show()).toMatchObject({ status: 'pending' });
    clock.advance(1);
    expect(await job.result()).toMatchObject({ success: true });
    expect(runner.executions).toHaveLength(1);
  });

  it('a job that waits can be cancelled, and stays so', async () => {
    const forge = await test.forge();
    const job = await forge.submit({ capability: 'echo', input: {} });
    expect(await job.cancel()).toMatchObject({ status: 'cancelled', error: { code: 'EXECUTION_CANCELLED' } });
    const runner = await test.runner({ form: 'batch', handle: finish });
    await forge.operations.registerRunner(runner.registration());
    const other = await forge.submit({ capability: 'echo', input: {} });
    await other.result();
    expect(runner.executions.map(({ request }) => request.jobId)).toEqual([other.id]);
  });

  it('inputs beyond the memory limit are read from the store when their turn comes', async () => {
    const forge = await test.forge({ limits: { maxInputBytesInMemory: 100 } });
    const texts = Array.from({ length: 10 }, (_, index) => `${index}`.repeat(60));
    const jobs = await Promise.all(
      texts.map((text) => forge.submit({ capability: 'echo', input: { text } })),
    );
    const runner = await test.runner({ form: 'batch', handle: finish });
    await forge.operations.registerRunner(runner.registration());
    const results = await Promise.all(jobs.map((job) => job.result()));
    expect(results.map(({ data }) => data)).toEqual(texts.map((text) => ({ echoed: { text } })));
  });
});

describe('the list of jobs', () => {
  it('is newest first, by status, in pages', async () => {
    const { forge } = await test.pair({
      form: 'batch',
      handle: (execution) =>
        execution.request.payload['hold'] === true ? execution.accept() : finish(execution),
    });
    const done = await forge.submit({ capability: 'echo', input: {}, id: 'done' });
    await done.result();
    const held = await forge.submit({ capability: 'echo', input: { hold: true }, id: 'held' });
    for await (const { type } of held.events()) if (type === 'job.started') break;
    await forge.operations.submitJobs(
      ['q1', 'q2', 'q3'].map((id) => submission({ id, payload: { type: 'nobody', data: {} } })),
    );
    const list = async (query: Partial<JobListQuery>): Promise<string[]> =>
      (await forge.operations.listJobs({ limit: 10, ...query })).items.map(({ id }) => id);
    expect(await list({})).toEqual(['q3', 'q2', 'q1', 'held', 'done']);
    expect(await list({ status: 'queued' })).toEqual(['q3', 'q2', 'q1']);
    expect(await list({ status: 'running' })).toEqual(['held']);
    expect(await list({ status: 'completed' })).toEqual(['done']);
    const page = await forge.operations.listJobs({ limit: 2, status: 'queued' });
    expect(page.items).toHaveLength(2);
    expect(await list({ status: 'queued', cursor: page.nextCursor ?? '' })).toEqual(['q1']);
    await expect(list({ cursor: 'nonsense' })).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR' },
    });
  });
});
