import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobEvent } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import type { StubExecution } from '../testing/stub-runner.js';

const test = openDialIns();
const folders: string[] = [];
afterEach(async () => {
  await test.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const once = { retryPolicy: { maxRetries: 0 } };
const echo = { capability: 'echo', input: { text: 'hi' }, ...once };

interface Reply {
  readonly status: number;
  readonly body: {
    readonly error?: { readonly code: string; readonly message: string };
    readonly jobs?: readonly { readonly id: string; readonly status?: string }[];
    readonly nextCursor?: string;
    readonly attempts?: number;
  };
}

async function post(url: string, body?: object): Promise<Reply> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(url, { method: 'POST', ...sent });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

const failFirst = (): ((execution: StubExecution) => void) => {
  let failures = 1;
  return ({ accept, fail, succeed }) => {
    accept();
    if (failures-- > 0) fail('EXECUTION_FAILED', { retryable: true });
    else succeed();
  };
};

async function all(events: AsyncIterable<JobEvent>): Promise<JobEvent[]> {
  const list: JobEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

const idsOf = (events: readonly JobEvent[]): string[] => events.map(({ id, type }) => `${id} ${type}`);

describe('a job that failed', () => {
  it('is run again under its id, its first attempt kept, its events going on', async () => {
    const forge = await test.listening();
    const runner = await test.runner({ form: 'batch', handle: failFirst() });
    await forge.operations.registerRunner(runner.registration());
    const job = await forge.submit(echo);
    expect(await job.result()).toMatchObject({ success: false });
    const last = (await all(job.events())).at(-1);
    expect(last).toMatchObject({ id: '1.1', type: 'job.failed' });
    const reply = await post(`${forge.url}/jobs/${job.id}/retry`);
    expect(reply).toMatchObject({ status: 202, body: { id: job.id } });
    const after = await all(forge.operations.jobEvents(job.id, { ...(last && { afterId: last.id }) }));
    expect(idsOf(after)).toEqual(['2.0 job.started', '2.1 job.completed']);
    expect(idsOf(await all(job.events()))).toEqual([
      ...['0.0 job.created', '0.1 job.queued', '1.0 job.started', '1.1 job.retrying'],
      ...['2.0 job.started', '2.1 job.completed'],
    ]);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
  });

  it('has its retries counted anew', async () => {
    const forge = await test.listening();
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, fail }) => {
        accept();
        fail('EXECUTION_FAILED', { retryable: true });
      },
    });
    await forge.operations.registerRunner(runner.registration());
    const job = await forge.submit({ ...echo, retryPolicy: { maxRetries: 1, backoffMs: 1 } });
    expect(await job.result()).toMatchObject({ metadata: { attempts: 2 } });
    await forge.operations.retryJob(job.id);
    expect(await job.result()).toMatchObject({ metadata: { attempts: 4 } });
  });

  it('waits on across a restart once it was put back', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
    folders.push(folder);
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const first = await test.listening({ store });
    const job = await first.submit({ ...echo, id: 'a' });
    await job.cancel();
    await first.operations.retryJob('a');
    await first.operations.cancelJob('a');
    await first.operations.retryJob('a');
    expect(await first.operations.showJob('a')).toMatchObject({ status: 'queued', attempts: 0 });
    await first.stop({ drainMs: 0 });
    const second = await test.listening({ store });
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, succeed }) => (accept(), succeed()),
    });
    await second.operations.registerRunner(runner.registration());
    expect(await second.job('a').result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(idsOf(await all(second.job('a').events()))).toEqual([
      ...['0.0 job.created', '0.1 job.queued', '0.3 job.retrying', '1.0 job.started', '1.1 job.completed'],
    ]);
  });

  it('that had expired does not expire again', async () => {
    const forge = await test.listening();
    const expiresAt = new Date(Date.now() - 1_000).toISOString();
    const job = await forge.submit({ ...echo, metadata: { expiresAt } });
    expect(await job.result()).toMatchObject({ error: { code: 'JOB_EXPIRED' } });
    await forge.operations.retryJob(job.id);
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, succeed }) => (accept(), succeed()),
    });
    await forge.operations.registerRunner(runner.registration());
    expect(await job.result()).toMatchObject({ success: true });
  });
});

describe('a job that cannot be put back', () => {
  it('is told why', async () => {
    const forge = await test.listening();
    const job = await forge.submit(echo);
    expect((await post(`${forge.url}/jobs/${job.id}/retry`)).body.error).toMatchObject({
      code: 'JOB_NOT_RETRYABLE',
      message: `The job "${job.id}" has not ended: it is queued.`,
    });
    expect((await post(`${forge.url}/jobs/nothing/retry`)).body.error?.code).toBe('JOB_NOT_FOUND');
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, succeed }) => (accept(), succeed()),
    });
    await forge.operations.registerRunner(runner.registration());
    await job.result();
    expect(await post(`${forge.url}/jobs/${job.id}/retry`)).toMatchObject({
      status: 409,
      body: { error: { code: 'JOB_NOT_RETRYABLE', message: `The job "${job.id}" has completed.` } },
    });
  });

  it('is put back once, whoever else asks at the same time', async () => {
    const forge = await test.listening();
    const job = await forge.submit(echo);
    await job.cancel();
    const replies = await Promise.allSettled([1, 2, 3].map(() => forge.operations.retryJob(job.id)));
    expect(replies.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });
});

describe('a job that waits for its next attempt', () => {
  it('waits as long as the error asks, and is tried at once when it is retried', async () => {
    const forge = await test.listening();
    let failures = 1;
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, fail, succeed }) => {
        accept();
        if (failures-- > 0) fail('EXECUTION_FAILED', { retryable: true, retryAfter: 3_600 });
        else succeed();
      },
    });
    await forge.operations.registerRunner(runner.registration());
    const before = Date.now();
    const job = await forge.submit({ capability: 'echo', input: {}, retryPolicy: { backoffMs: 1 } });
    await expect.poll(async () => (await job.show()).status).toBe('retrying');
    expect(Date.parse((await job.show()).nextAttemptAt ?? '')).toBeGreaterThanOrEqual(before + 3_600_000);
    await forge.operations.retryJob(job.id);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
  });
});

describe('all jobs that ended in a certain way', () => {
  it('are put back a page at a time, those of other kinds left as they are', async () => {
    const forge = await test.listening();
    const runner = await test.runner({
      form: 'batch',
      handle: ({ accept, fail, request }) => {
        accept();
        fail(String(request.payload['text']));
      },
    });
    const { runnerId } = await forge.operations.registerRunner(runner.registration());
    const submit = (id: string, text: string): ReturnType<typeof forge.submit> =>
      forge.submit({ ...echo, id, input: { text } });
    const jobs = await Promise.all([
      ...['a', 'b', 'c'].map((id) => submit(id, 'BROKEN')),
      submit('d', 'OTHER'),
    ]);
    for (const job of jobs) await job.result();
    await forge.operations.disableRunner(runnerId, {});
    const dry = await post(`${forge.url}/jobs/retry`, { code: 'BROKEN', dryRun: true });
    expect(dry.body.jobs).toEqual(['c', 'b', 'a'].map((id) => ({ id, status: 'failed' })));
    const since = new Date(Date.now() + 60_000).toISOString();
    expect((await post(`${forge.url}/jobs/retry`, { since })).body).toEqual({ jobs: [] });
    const page = await post(`${forge.url}/jobs/retry`, { code: 'BROKEN', limit: 2 });
    expect(page.body.jobs).toEqual(['c', 'b'].map((id) => ({ id, status: 'queued' })));
    const { nextCursor: cursor } = page.body;
    const rest = await post(`${forge.url}/jobs/retry`, { code: 'BROKEN', limit: 2, cursor });
    expect(rest.body).toEqual({ jobs: [{ id: 'a', status: 'queued' }] });
    expect(await forge.operations.showJob('d')).toMatchObject({ status: 'failed' });
    expect(await forge.operations.showJob('a')).toMatchObject({ status: 'queued' });
  });
});
