import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, submission, type RunningApi } from '../api/api-server.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';
import { moment } from './moment.js';

afterEach(closeApis);

async function apiWithFailed(...ids: string[]): Promise<RunningApi> {
  const api = await apiWithRunner();
  for (const id of ids) {
    await fetch(`${api.url}/jobs`, json(submission({ id })));
    api.operations.happen(id, 'job.failed');
  }
  return api;
}

describe('job retry', () => {
  it('puts each job back that is named, says which could not be, and exits with 1 then', async () => {
    const { url } = await apiWithFailed('a', 'b');
    const run = await runJobforge(url, ['job', 'retry', 'a', 'nothing', 'b']);
    expect(run.code).toBe(1);
    expect(run.out).toEqual(['job a  queued again', 'job b  queued again']);
    expect(run.err).toEqual(['✗ job nothing  JOB_NOT_FOUND: There is no job nothing.']);
    expect((await runJobforge(url, ['job', 'retry', 'a'])).err[0]).toContain('JOB_NOT_RETRYABLE');
  });

  it('takes all that failed, after a look at which they are', async () => {
    const { url, operations } = await apiWithFailed('a', 'b');
    const dry = await runJobforge(url, ['job', 'retry', '--all', 'failed', '--since', '1h', '--dry-run']);
    expect(dry.out).toEqual([
      'job b  failed',
      'job a  failed',
      '2 would be queued again: leave --dry-run out',
    ]);
    expect((await operations.showJob('a')).status).toBe('failed');
    const run = await runJobforge(url, ['job', 'retry', '--all', 'failed', '--json']);
    expect(run.code).toBe(0);
    expect(JSON_OUTPUT['job retry'].parse(JSON.parse(run.out[0] ?? '')).jobs).toHaveLength(2);
    expect((await runJobforge(url, ['job', 'retry', '--all', 'failed'])).out).toEqual([
      'no job that failed matches',
    ]);
  });

  it.each([
    [['job', 'retry'], 'No job is named'],
    [['job', 'retry', 'a', '--all', 'failed'], 'not both'],
    [['job', 'retry', 'a', '--type', 'x'], 'add --all failed'],
    [['job', 'retry', '--all', 'failed', '--since', 'soon'], '"soon" is no time'],
    [['job', 'retry', '--all', 'completed'], 'expected one of failed, cancelled'],
  ])('%j is not understood', async (argv, why) => {
    const { url } = await apiWithFailed('a');
    const run = await runJobforge(url, argv);
    expect(run.code).toBe(2);
    expect(run.err[0]).toContain(why);
  });
});

it('a moment counts back from now, or is a time', () => {
  const now = Date.parse('2026-03-01T12:00:00Z');
  expect(moment('30m', now)).toBe('2026-03-01T11:30:00.000Z');
  expect(moment('2d', now)).toBe('2026-02-27T12:00:00.000Z');
  expect(moment('2026-01-31T12:00:00+01:00', now)).toBe('2026-01-31T11:00:00.000Z');
});
