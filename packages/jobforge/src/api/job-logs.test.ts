import { afterEach, describe, expect, it } from 'vitest';
import { JobLogEntry } from '@controlplane/contracts';
import { closeApis, json, Refusal, serveApi, submission, type RunningApi } from './api-server.fixture.js';

afterEach(closeApis);

async function apiWithLog(): Promise<RunningApi> {
  const api = await serveApi();
  await fetch(`${api.url}/jobs`, json(submission({ id: 'a' })));
  const { operations } = api;
  operations.happen('a', 'job.log', { level: 'info', message: 'begins', fields: { of: 2 } });
  operations.happen('a', 'job.log', { level: 'info', stream: 'stdout', message: 'half a l' });
  operations.happen('a', 'job.progress', { fraction: 0.5 });
  operations.happen('a', 'job.log', { level: 'info', stream: 'stdout', message: 'ine\nnext' });
  operations.happen('a', 'job.log', { level: 'error', message: 'ends\nbadly', droppedBytes: 7 });
  return api;
}

describe('the log of a job', () => {
  it('is text: output of children as it came, lines of the log with time and level', async () => {
    const { url } = await apiWithLog();
    const reply = await fetch(`${url}/jobs/a/logs`);
    expect(reply.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    const time = '\\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z';
    expect(await reply.text()).toMatch(
      new RegExp(`^${time} info  begins {"of":2}\nhalf a line\nnext\n${time} error ends\n    badly\n$`),
    );
  });

  it('is an entry a line where that is asked for', async () => {
    const { url } = await apiWithLog();
    const reply = await fetch(`${url}/jobs/a/logs`, { headers: { accept: 'application/x-ndjson' } });
    expect(reply.headers.get('content-type')).toBe('application/x-ndjson');
    const entries = (await reply.text())
      .trimEnd()
      .split('\n')
      .map((line) => JobLogEntry.parse(JSON.parse(line)));
    expect(
      entries.map(({ id, level, message, stream, droppedBytes }) => [
        id,
        level,
        message,
        stream,
        droppedBytes,
      ]),
    ).toEqual([
      ['1.1', 'info', 'begins', undefined, undefined],
      ['1.2', 'info', 'half a l', 'stdout', undefined],
      ['1.4', 'info', 'ine\nnext', 'stdout', undefined],
      ['1.5', 'error', 'ends\nbadly', undefined, 7],
    ]);
  });

  it('is not found of a job that is not there, and empty where nothing was logged', async () => {
    const { url } = await apiWithLog();
    const missing = await fetch(`${url}/jobs/nobody/logs`);
    expect(missing.status).toBe(404);
    expect(Refusal.parse(await missing.json()).error.code).toBe('JOB_NOT_FOUND');
    await fetch(`${url}/jobs`, json(submission({ id: 'b' })));
    expect(await (await fetch(`${url}/jobs/b/logs`)).text()).toBe('');
  });
});
