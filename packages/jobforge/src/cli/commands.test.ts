import { RunnerCapability } from '@controlplane/contracts';
import { afterEach, describe, expect, it } from 'vitest';
import { closeApis, json, serveApi, submission, type RunningApi } from '../api/api-server.fixture.js';
import { createInMemoryOperations } from '../api/operations-in-memory.fixture.js';
import { JobForgeError } from '../model/job-forge-error.js';
import { runJobforge } from './cli-run.fixture.js';
import { FollowLine, JSON_OUTPUT } from './json-output.js';

afterEach(closeApis);

const greet = RunnerCapability.parse({
  id: 'hello.greet',
  name: 'greet',
  version: '1.0.0',
  description: 'Greets.',
  inputSchema: {},
  outputSchema: {},
  supportedJobTypes: [],
});

async function apiWithRunner(): Promise<RunningApi> {
  const api = await serveApi();
  api.operations.addRunner({
    id: 'r1',
    name: 'my-runner',
    capabilities: [greet],
    maxConcurrency: 10,
    activeExecutions: 2,
  });
  return api;
}

/** Plays a runner: as soon as a job is there, it starts, logs and ends. */
async function playRunner({ operations }: RunningApi, end: 'job.completed' | 'job.failed'): Promise<void> {
  for (;;) {
    const {
      items: [job],
    } = await operations.listJobs({ limit: 1 });
    if (job) {
      operations.happen(job.id, 'job.started', { runnerId: 'r1' });
      operations.happen(job.id, 'job.progress', { fraction: 0.5, message: 'half' });
      operations.happen(job.id, 'job.log', { level: 'info', message: 'greeting', fields: { name: 'Ada' } });
      return operations.happen(job.id, end, { result: { message: 'Hello, Ada' } });
    }
    await operations.changed();
  }
}

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

  it('names what was probably meant, where nobody offers what was asked for', async () => {
    const { url } = await apiWithRunner();
    const run = await runJobforge(url, ['job', 'submit', 'hello.great', '{}', '--no-match', 'fail']);
    expect(run.err[0]).toBe(
      '✗ CAPABILITY_NOT_FOUND  no runner offers hello.great yet (did you mean hello.greet?)   (nothing was queued)',
    );
  });

  it('refuses with --no-match fail what nobody can run', async () => {
    const { url } = await apiWithRunner();
    const run = await runJobforge(url, ['job', 'submit', 'image.resize', '--no-match', 'fail']);
    expect(run).toMatchObject({ code: 1, out: [] });
    expect(run.err[0]).toBe(
      '✗ CAPABILITY_NOT_FOUND  no runner offers image.resize yet (known: hello.greet)   (nothing was queued)',
    );
    expect(await (await fetch(`${url}/jobs`)).json()).toEqual({ items: [] });
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

  it('says so where there is nothing to list', async () => {
    const { url } = await serveApi();
    expect((await runJobforge(url, ['runner', 'list'])).out).toEqual(['no runner is registered yet']);
    expect((await runJobforge(url, ['job', 'list'])).out).toEqual(['no jobs yet']);
  });
});
