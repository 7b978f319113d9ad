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

  it('is explained by --help, with every exit code', async () => {
    const run = await runJobforge('http://127.0.0.1:1', ['--help']);
    expect(run.code).toBe(0);
    expect(run.out.join('\n')).toMatch(
      /0 {2}it worked[^]*1 {2}the job failed[^]*2 {2}[^]*4 {2}JobForge cannot be reached/,
    );
  });
});
