import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission } from '../api/api-server.fixture.js';
import { createInMemoryOperations } from '../api/operations-in-memory.fixture.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { apiWithRunner, greet, playRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { FollowLine } from './json-output.js';

afterEach(closeApis);

describe('job submit', () => {
  it('says where the job stands, and sends what was asked', async () => {
    const { url, operations } = await apiWithRunner();
    const argv = [
      'job',
      'submit',
      'hello.greet',
      '{"name":"Ada"}',
      '--id',
      'j1',
      '--type',
      't',
      '--priority',
      '70',
      '--timeout',
      '900',
    ];
    expect(await runJobforge(url, argv)).toEqual({ code: 0, out: ['job j1  queued'], err: [] });
    expect((await operations.showJob('j1')).request).toMatchObject({
      type: 't',
      priority: 70,
      timeoutMs: 900,
      payload: { type: 'hello.greet', data: { name: 'Ada' } },
    });
  });

  it('follows a job to its end: runner, logs and result', async () => {
    const api = await apiWithRunner();
    const [run] = await Promise.all([
      runJobforge(api.url, ['job', 'submit', 'hello.greet', '{"name":"Ada"}', '--follow']),
      playRunner(api, 'job.completed'),
    ]);
    expect(run.code).toBe(0);
    expect(run.out).toEqual([
      'job job-1  queued → my-runner',
      expect.stringMatching(/^ {2}\d\d:\d\d:\d\d\.\d{3} {3}50 % {2}half$/),
      expect.stringMatching(/^ {2}\d\d:\d\d:\d\d\.\d{3} {2}info {3}greeting \{"name":"Ada"\}$/),
      'completed in 14 ms   {"message":"Hello, Ada"}',
    ]);
  });

  it('follows as lines of JSON of the documented shape', async () => {
    const api = await apiWithRunner();
    const [run] = await Promise.all([
      runJobforge(api.url, ['job', 'submit', 'hello.greet', '--follow', '--json']),
      playRunner(api, 'job.completed'),
    ]);
    const lines = run.out.map((line) => FollowLine.parse(JSON.parse(line)).event);
    expect(lines).toEqual([
      'submitted',
      'job-event',
      'job-event',
      'job-event',
      'job-event',
      'job-event',
      'ended',
    ]);
  });

  it.each(['--follow', '--wait'])(
    'exits with 1 when the job that it waits for with %s fails',
    async (flag) => {
      const api = await apiWithRunner();
      const [run] = await Promise.all([
        runJobforge(api.url, ['job', 'submit', 'hello.greet', flag]),
        playRunner(api, 'job.failed'),
      ]);
      expect(run).toMatchObject({ code: 1, err: [] });
      expect(run.out.at(-1)).toBe('failed in 14 ms   EXECUTION_FAILED  it broke');
    },
  );

  it('says what is wrong with an input, and that nothing was queued', async () => {
    const refusal = new JobForgeError('VALIDATION_ERROR', {
      details: [{ path: ['input', 'name'], message: 'Invalid input: expected string, received undefined' }],
    });
    const operations = createInMemoryOperations({ submitJob: async () => Promise.reject(refusal) });
    operations.addRunner({ id: 'r1', name: 'r1', capabilities: [greet] });
    const { url } = await serveApi({ operations });
    const run = await runJobforge(url, ['job', 'submit', 'hello.greet', '{"nam":"Ada"}']);
    expect(run).toEqual({
      code: 1,
      out: [],
      err: [
        '✗ VALIDATION_ERROR  input.name: expected string, received undefined   (hello.greet@1.0.0; nothing was queued)',
      ],
    });
  });

  it('says with the remedy that no capability can have the id that was given', async () => {
    const remedy = 'An id is 1–128 characters of A-Z a-z 0-9 . _ : -.';
    const refusal = new JobForgeError('VALIDATION_ERROR', {
      details: [{ path: ['payload', 'type'], message: '"Hello Greet!" cannot be the id of a capability' }],
      remedy,
    });
    const operations = createInMemoryOperations({ submitJob: async () => Promise.reject(refusal) });
    const { url } = await serveApi({ operations });
    expect((await runJobforge(url, ['job', 'submit', 'Hello Greet!', '{}'])).err).toEqual([
      '✗ VALIDATION_ERROR  payload.type: "Hello Greet!" cannot be the id of a capability   (nothing was queued)',
      `  ${remedy}`,
    ]);
  });

  it('says what a job waits for when nobody can run it', async () => {
    const { url, operations } = await apiWithRunner();
    const waits =
      'job job-1  queued · no runner offers image.resize yet (known: hello.greet); it waits, --no-match fail refuses instead';
    expect(await runJobforge(url, ['job', 'submit', 'image.resize', '{}'])).toEqual({
      code: 0,
      out: [waits],
      err: [],
    });
    const following = runJobforge(url, ['job', 'submit', 'image.resize', '{}', '--id', 'f', '--follow'], {
      terminal: {
        out: (line) => {
          if (line.startsWith('job f  queued · no runner')) operations.happen('f', 'job.cancelled');
        },
        err: () => undefined,
        columns: undefined,
        colour: false,
      },
    });
    expect((await following).code).toBe(1);
  });

  it('is refused with --no-match fail what nobody can run, in the words of JobForge', async () => {
    const refusal = new JobForgeError('NO_MATCHING_RUNNER', {
      message: 'no runner offers hello.great yet (did you mean hello.greet?)',
    });
    const { url } = await serveApi({
      operations: createInMemoryOperations({ submitJob: async () => Promise.reject(refusal) }),
    });
    const run = await runJobforge(url, ['job', 'submit', 'hello.great', '{}', '--no-match', 'fail']);
    expect(run).toMatchObject({ code: 1, out: [] });
    expect(run.err[0]).toBe(
      '✗ NO_MATCHING_RUNNER  no runner offers hello.great yet (did you mean hello.greet?)   (nothing was queued)',
    );
  });

  it('says where and when the job may run', async () => {
    const { url, operations } = await apiWithRunner();
    const argv = [
      ...['job', 'submit', 'hello.greet@^1.2', '{}', '--id', 'j1', '--runner', 'client-acme-*'],
      ...['--label', 'region=eu', '--label', 'gpu=a100|h100', '--platform', 'linux/arm64', '--affinity', 'k'],
      ...['--no-match', 'fail', '--concurrency', 'deploy', '--concurrency-limit', '2'],
      ...['--on-conflict', 'cancel-oldest', '--start-at', '10m', '--expires-at', '2026-01-02T00:00:00Z'],
    ];
    const run = await runJobforge(url, argv, { now: () => Date.parse('2026-01-01T12:00:00Z') });
    expect(run.code).toBe(0);
    expect((await operations.showJob('j1')).request).toMatchObject({
      type: 'hello.greet',
      payload: { type: 'hello.greet' },
      metadata: { scheduledAt: '2026-01-01T12:10:00.000Z', expiresAt: '2026-01-02T00:00:00.000Z' },
      placement: {
        version: '^1.2',
        runner: 'client-acme-*',
        labels: { region: 'eu', gpu: ['a100', 'h100'] },
        platform: { os: 'linux', arch: 'arm64' },
        affinity: 'k',
        noMatch: 'fail',
      },
      concurrency: { key: 'deploy', limit: 2, onConflict: 'cancel-oldest' },
    });
  });

  it.each([
    [['--label', 'region'], '"region" is no label'],
    [['--platform', '/'], '"/" is no platform'],
    [['--platform', 'a/b/c'], '"a/b/c" is no platform'],
    [['--concurrency-limit', '2'], 'add --concurrency <key>'],
    [['--start-at', 'soon'], '"soon" is no time'],
  ])('cannot be understood with %j', async (argv, words) => {
    const { url } = await apiWithRunner();
    const run = await runJobforge(url, ['job', 'submit', 'hello.greet', '{}', ...argv]);
    expect(run.code).toBe(2);
    expect(run.err[0]).toContain(words);
  });

  it('reads the input from a file and from standard input', async () => {
    const { url, operations } = await apiWithRunner();
    await runJobforge(url, ['job', 'submit', 'hello.greet', '@in.json', '--id', 'a'], {
      readFile: async (path) => `{"from":"${path}"}`,
    });
    await runJobforge(url, ['job', 'submit', 'hello.greet', '-', '--id', 'b'], {
      readStdin: async () => '{"from":"stdin"}',
    });
    expect((await operations.showJob('a')).request.payload.data).toEqual({ from: 'in.json' });
    expect((await operations.showJob('b')).request.payload.data).toEqual({ from: 'stdin' });
  });

  it.each([
    ['ENOENT', 'the file in.json does not exist'],
    ['EISDIR', 'in.json is a folder, not a file'],
    ['EACCES', 'the file in.json may not be read by this user'],
  ])('says in words why a file cannot be read: %s', async (code, words) => {
    const { url } = await apiWithRunner();
    const run = await runJobforge(url, ['job', 'submit', 'hello.greet', '@in.json'], {
      readFile: async () => Promise.reject(Object.assign(new Error(`${code}: no, open 'in.json'`), { code })),
    });
    expect(run).toMatchObject({ code: 2, out: [] });
    expect(run.err[0]).toBe(`✗ USAGE_ERROR  ${words}`);
  });

  it.each([['{oops'], ['[1]'], ['@missing.json']])(
    'refuses the input %s as a mistake in the command line',
    async (input) => {
      const { url } = await apiWithRunner();
      expect((await runJobforge(url, ['job', 'submit', 'hello.greet', input])).code).toBe(2);
    },
  );

  it('keeps control characters of a log away from the terminal', async () => {
    const api = await apiWithRunner();
    await fetch(`${api.url}/jobs`, json(submission({ id: 'a' })));
    api.operations.happen('a', 'job.log', { level: 'warn', message: '\u001b]0;pwned\u0007' });
    const run = await runJobforge(api.url, ['job', 'logs', 'a']);
    expect(run.out[0]).toContain('warn   \\u001b]0;pwned\\u0007');
  });
});
