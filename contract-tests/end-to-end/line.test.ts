import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { followJob, jobEvents, post, showJob } from './client.js';
import { endProcess, endProcesses, type JobForgeProcess, startJobForge, startRunner } from './processes.js';

let forge: JobForgeProcess;
let runner: ChildProcess;
let nextId = 0;

async function submit(capability: string, data: object = {}, more: object = {}): Promise<string> {
  nextId += 1;
  const id = `line-${nextId}`;
  const response = await post(`${forge.url}/jobs`, {
    id,
    type: capability,
    payload: { type: capability, data },
    ...more,
  });
  expect(response.status, await response.clone().text()).toBe(202);
  return id;
}

const types = (events: { type: string }[]): string[] => events.map(({ type }) => type);

async function ran(child: ChildProcess, jobId: string): Promise<void> {
  for (;;) {
    const [message] = (await once(child, 'message')) as [{ ran?: string }];
    if (message.ran === jobId) return;
  }
}

beforeAll(async () => {
  forge = await startJobForge();
  runner = await startRunner('steps.mjs', { JOBFORGE_URL: forge.url });
});
afterAll(endProcesses);

describe('a job, from client to runner and back', () => {
  it('tells what happens, live and again afterwards', async () => {
    const id = await submit('steps.tells');
    const live = await followJob(forge.url, id);
    const shown = types(live).filter((type) => type !== 'job.queued');
    expect(shown).toEqual([
      'job.created',
      'job.started',
      'job.log',
      'job.progress',
      'job.log',
      'job.completed',
    ]);
    expect(await followJob(forge.url, id), 'read again').toEqual(live);
    const half = live.findIndex(({ type }) => type === 'job.progress');
    const resumed = [];
    for await (const event of jobEvents(forge.url, id, live[half]?.id)) resumed.push(event);
    expect(resumed).toEqual(live.slice(half + 1));
  });

  it('is refused before any runner is troubled when its input is wrong', async () => {
    const body = { type: 'x', payload: { type: 'steps.run', data: { ms: 'soon' } } };
    const response = await post(`${forge.url}/jobs`, body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as {
      error: { code: string; retryable: boolean; details: { path: string[] }[] };
    };
    expect(error).toMatchObject({ code: 'VALIDATION_ERROR', retryable: false });
    expect(error.details[0]?.path).toEqual(['input', 'ms']);
  });

  it('fails once and for all when its error is not retryable', async () => {
    const id = await submit('steps.fails', { code: 'NOT_FOUND' });
    await followJob(forge.url, id);
    const job = await showJob(forge.url, id);
    expect(job).toMatchObject({
      status: 'failed',
      attempts: 1,
      error: { code: 'NOT_FOUND', message: 'as asked' },
    });
  });

  it('is tried again by its retry policy until it succeeds', async () => {
    const retryPolicy = { maxRetries: 3, backoffMs: 10, maxBackoffMs: 20 };
    const id = await submit('steps.recovers', { times: 2 }, { retryPolicy });
    expect(types(await followJob(forge.url, id)).filter((type) => type === 'job.retrying')).toHaveLength(2);
    expect(await showJob(forge.url, id)).toMatchObject({ status: 'completed', attempts: 3 });
  });

  it('fails with the last error when its retries are used up', async () => {
    const retryPolicy = { maxRetries: 1, backoffMs: 10 };
    const id = await submit('steps.recovers', { times: 9 }, { retryPolicy });
    await followJob(forge.url, id);
    expect(await showJob(forge.url, id)).toMatchObject({
      status: 'failed',
      attempts: 2,
      error: { code: 'EXECUTION_FAILED', message: expect.stringContaining('attempt 2 fails') },
    });
  });

  it('ends at its time limit', async () => {
    const id = await submit('steps.run', { ms: 60_000 }, { timeoutMs: 50, retryPolicy: { maxRetries: 0 } });
    await followJob(forge.url, id);
    expect(await showJob(forge.url, id)).toMatchObject({
      status: 'failed',
      error: { code: 'EXECUTION_TIMEOUT' },
    });
  });

  it('is cancelled while it runs', async () => {
    const started = once(runner, 'message');
    const id = await submit('steps.run', { ms: 60_000 });
    await started;
    const response = await post(`${forge.url}/jobs/${id}/cancel`, {});
    expect(response.status).toBe(202);
    expect(types(await followJob(forge.url, id)).at(-1)).toBe('job.cancelled');
    expect((await post(`${forge.url}/jobs/${id}/cancel`, {})).status).toBe(409);
  });

  it('waits while no runner offers its capability, and is cancelled there too', async () => {
    const id = await submit('nobody.offers');
    expect(await showJob(forge.url, id)).toMatchObject({
      status: 'queued',
      waitingFor: expect.stringContaining('nobody.offers'),
    });
    await post(`${forge.url}/jobs/${id}/cancel`, {});
    expect(await showJob(forge.url, id)).toMatchObject({ status: 'cancelled' });
  });

  it('submitted twice with the same body is one job; with another body it is refused', async () => {
    const job = { id: 'twice', type: 'steps.run', payload: { type: 'steps.run', data: { ms: 1 } } };
    const statuses = [];
    for (let time = 0; time < 2; time += 1) statuses.push((await post(`${forge.url}/jobs`, job)).status);
    expect(statuses).toEqual([202, 200]);
    const other = await post(`${forge.url}/jobs`, { ...job, priority: 1 });
    expect(other.status).toBe(409);
    expect(await other.json()).toMatchObject({ error: { code: 'JOB_CONFLICT' } });
  });
});

describe('a runner that leaves', () => {
  it('on SIGTERM finishes what it has, deregisters and exits 0', async () => {
    const leaving = await startRunner('steps.mjs', { JOBFORGE_URL: forge.url, RUNNER_NAME: 'leaving' });
    await endProcess(runner, 'SIGTERM');
    const id = await submit('steps.run', { ms: 300 });
    await ran(leaving, id);
    expect(await endProcess(leaving, 'SIGTERM')).toBe(0);
    expect(types(await followJob(forge.url, id)).at(-1)).toBe('job.completed');
    const runners = (await (await fetch(`${forge.url}/runners`)).json()) as {
      name: string;
      status: string;
    }[];
    expect(runners.filter(({ status }) => status !== 'offline')).toEqual([]);
  });
});
