import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, serveApi } from '../api/api-server.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { ErrorOutput } from './json-output.js';

afterEach(closeApis);

describe('what does not work', () => {
  it('is refused with 1, in text with the remedy', async () => {
    const { url } = await serveApi();
    const run = await runJobforge(url, ['job', 'show', 'nobody']);
    expect(run).toMatchObject({ code: 1, out: [] });
    expect(run.err[0]).toBe('✗ JOB_NOT_FOUND  There is no job nobody.');
    expect(run.err[1]).toMatch(/^ {2}\S/);
  });

  it('is an envelope on stdout for programs', async () => {
    const { url } = await serveApi();
    const run = await runJobforge(url, ['job', 'cancel', 'nobody', '--json']);
    expect(run).toMatchObject({ code: 1, err: [] });
    expect(ErrorOutput.parse(JSON.parse(run.out[0] ?? '')).error.code).toBe('JOB_NOT_FOUND');
  });

  it('exits with 4 when nobody listens', async () => {
    const { url, server } = await serveApi();
    await server.close();
    for (const argv of [
      ['job', 'list'],
      ['job', 'logs', 'a'],
      ['job', 'submit', 'x', '--follow'],
    ]) {
      const run = await runJobforge(url, argv);
      expect(run.code).toBe(4);
      expect(run.err[0]).toBe(
        `✗ JOBFORGE_UNREACHABLE  JobForge does not answer at ${url} (connection refused).`,
      );
    }
  });

  it('exits with 4 when something else answers', async () => {
    const run = await runJobforge('http://127.0.0.1:1', ['job', 'list'], {
      fetch: async () => new Response('<html>'),
    });
    expect(run.code).toBe(4);
    expect(run.err[0]).toContain('is not JobForge');
  });

  it.each([
    [['job', 'submit']],
    [['job', 'list', '--limit', '0']],
    [['job', 'list', '--status', 'done']],
    [['job', 'submit', 'x', '--no-match', 'maybe']],
    [['nonsense']],
    [['job', 'list', '--url', 'ftp://x']],
    [[]],
  ])('exits with 2 for the command line %j', async (argv) => {
    const { url } = await serveApi();
    expect((await runJobforge(url, argv)).code).toBe(2);
  });

  it.each([
    [['job', 'submit'], 'missing required argument "capability"', 'jobforge job submit --help'],
    [
      ['job', 'list', '--limit', '0'],
      'option "--limit <count>" argument "0" is invalid: expected a whole number from 1 to 1000',
      'jobforge job list --help',
    ],
    [['job', 'lst'], 'unknown command "lst" (did you mean "list"?)', 'jobforge job --help'],
    [
      ['job', 'list', '--limt', '3'],
      'unknown option "--limt" (did you mean "--limit"?)',
      'jobforge job list --help',
    ],
    [['nonsense'], 'unknown command "nonsense"', 'jobforge --help'],
  ])('is told of the command line %j as of anything else, with the remedy', async (argv, message, help) => {
    const text = await runJobforge('http://127.0.0.1:1', argv);
    expect(text).toEqual({
      code: 2,
      out: [],
      err: [`✗ USAGE_ERROR  ${message}`, `  Run \`${help}\` to see what it takes.`],
    });
    const programs = await runJobforge('http://127.0.0.1:1', [...argv, '--json']);
    expect(programs).toMatchObject({ code: 2, err: [] });
    expect(programs.out).toHaveLength(1);
    expect(ErrorOutput.parse(JSON.parse(programs.out[0] ?? '')).error).toMatchObject({
      code: 'USAGE_ERROR',
      message,
    });
  });

  it('prints the help where no command is named', async () => {
    const run = await runJobforge('http://127.0.0.1:1', []);
    expect(run).toMatchObject({ code: 2, out: [] });
    expect(run.err.join('\n')).toContain('Usage: jobforge');
  });

  it('is explained by --help, with every exit code', async () => {
    const run = await runJobforge('http://127.0.0.1:1', ['--help']);
    expect(run.code).toBe(0);
    expect(run.out.join('\n')).toMatch(
      /0 {2}it worked[^]*1 {2}the job failed[^]*2 {2}[^]*4 {2}JobForge cannot be reached[^]*130 {2}/,
    );
  });
});
