import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission } from '../api/api-server.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

afterEach(closeApis);

describe('runner show', () => {
  it('takes a name that one runner alone has', async () => {
    const { url, operations } = await apiWithRunner();
    const byName = await runJobforge(url, ['runner', 'show', 'my-runner', '--json']);
    expect(byName).toEqual(await runJobforge(url, ['runner', 'show', 'r1', '--json']));
    operations.addRunner({ id: 'r2', name: 'my-runner' });
    const run = await runJobforge(url, ['runner', 'show', 'my-runner']);
    expect(run).toMatchObject({ code: 1, out: [] });
    expect(run.err).toEqual([
      '✗ RUNNER_NOT_FOUND  2 runners are called my-runner: r1, r2.',
      '  Name one of them by its id.',
    ]);
  });

  it('names the command that lists what there is, where there is no such runner', async () => {
    const { url } = await apiWithRunner();
    expect((await runJobforge(url, ['runner', 'show', 'my-runer'])).err).toEqual([
      '✗ RUNNER_NOT_FOUND  There is no runner my-runer (did you mean my-runner?).',
      '  List the runners with `jobforge runner list`.',
    ]);
    expect((await runJobforge(url, ['runner', 'show', 'no such'])).err[0]).toBe(
      '✗ RUNNER_NOT_FOUND  There is no runner no such.',
    );
  });
});

describe('every command that shows', () => {
  const commands = [
    ['job list', ['job', 'list', '--status', 'queued', '--limit', '5']],
    ['job show', ['job', 'show', 'a']],
    ['job logs', ['job', 'logs', 'a']],
    ['runner list', ['runner', 'list']],
    ['runner show', ['runner', 'show', 'r1']],
    ['capability list', ['capability', 'list']],
    ['job submit', ['job', 'submit', 'hello.greet']],
    ['job cancel', ['job', 'cancel', 'a']],
  ] as const;

  it.each(commands)('%s prints text for people and its documented shape for programs', async (name, argv) => {
    const { url, operations } = await apiWithRunner();
    await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    operations.happen('a', 'job.log', { level: 'info', message: 'one' });
    const programs = await runJobforge(url, [...argv, '--json']);
    expect(programs).toMatchObject({ code: 0, err: [] });
    expect(programs.out).toHaveLength(1);
    JSON_OUTPUT[name].parse(JSON.parse(programs.out[0] ?? ''));
    if (name === 'job cancel') return;
    const people = await runJobforge(url, argv);
    expect(people).toMatchObject({ code: 0, err: [] });
    expect(people.out.join('\n')).toMatch(/\w/);
  });

  it('follows the log of a job until the job has ended', async () => {
    const { url, operations } = await apiWithRunner();
    await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    operations.happen('a', 'job.log', { level: 'info', message: 'one' });
    const out: string[] = [];
    const terminal = {
      out: (line: string) => {
        out.push(line);
        if (out.length === 1) operations.happen('a', 'job.log', { level: 'error', message: 'two' });
        else operations.happen('a', 'job.completed');
      },
      err: () => undefined,
      columns: undefined,
      colour: false,
    };
    expect((await runJobforge(url, ['job', 'logs', 'a', '-f'], { terminal })).code).toBe(0);
    expect(out).toEqual([expect.stringContaining('info   one'), expect.stringContaining('error  two')]);
  });

  it('shows the output of a child without an empty line behind each piece', async () => {
    const { url, operations } = await apiWithRunner();
    await fetch(`${url}/jobs`, json(submission({ id: 'a' })));
    operations.happen('a', 'job.log', { level: 'info', stream: 'stdout', message: 'one\ntwo\n' });
    const { out } = await runJobforge(url, ['job', 'logs', 'a']);
    expect(out).toEqual([expect.stringMatching(/info {3}one\n {4}two$/)]);
  });

  it('says so where there is nothing to list', async () => {
    const { url } = await serveApi();
    expect((await runJobforge(url, ['runner', 'list'])).out).toEqual(['no runner is registered yet']);
    expect((await runJobforge(url, ['job', 'list'])).out).toEqual(['no jobs yet']);
  });
});
