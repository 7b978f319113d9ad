import { AutomnRegistered } from '@controlplane/contracts/automn';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import type { JobForge } from '../../control-plane.js';
import { openGuarded, type GuardedForge } from '../../testing/guarded-forge.js';
import { startScriptedRunner, type ScriptedAutomnRunner } from './scripted-runner.fixture.js';

const test = openGuarded();
afterAll(test.close);

const opened: ScriptedAutomnRunner[] = [];
afterEach(async () => {
  for (const runner of opened.splice(0)) await runner.close();
});

const open = (): Promise<GuardedForge> => test.guarded({ accept: ['automn'] });

async function scripted(): Promise<ScriptedAutomnRunner> {
  const runner = await startScriptedRunner();
  opened.push(runner);
  return runner;
}

const runtimes = { node: '22.1.0', shell: '5.2' };

async function beat({ ask }: GuardedForge, body: object, id = 'default') {
  const { status, body: said } = await ask('POST', `/api/settings/runner-hosts/${id}/register`, { body });
  return { status, said };
}

/** A JobForge and a runner that has registered. */
async function pair(more: object = {}) {
  const of = await open();
  const runner = await scripted();
  const { token: secret } = await of.token({ kind: 'enrollment', name: 'fleet' });
  const registration = { secret, endpoint: runner.endpoint, version: '0.2.16', runtimes, ...more };
  const { status, said } = await beat(of, registration);
  expect(status).toBe(200);
  expect(AutomnRegistered.parse(said)).toMatchObject({ registered: true, runnerHost: { id: 'default' } });
  return { of, runner, registration };
}

const script = ({ forge }: GuardedForge, input: object = {}, more: object = {}) =>
  forge.submit({
    ...{ capability: 'script.run', retryPolicy: { maxRetries: 0 } },
    input: { language: 'node', code: 'job.return(1)', ...input },
    ...more,
  });

/** The next job that it is posted, however long that takes; in steps that a runner's beats keep up with. */
async function arrival(of: GuardedForge, runner: ScriptedAutomnRunner) {
  const next = runner.next();
  const isThere = async (): Promise<boolean> => {
    of.clock.advance(500);
    const notYet = new Promise<false>((resolve) => setImmediate(() => resolve(false)));
    return Promise.race([next.then(() => true as const), notYet]);
  };
  await expect.poll(isThere, { timeout: 15_000, interval: 5 }).toBe(true);
  return next;
}

describe('a registration', () => {
  it('makes a runner of what it says, and the next one is a beat', async () => {
    const { of, registration } = await pair({ maxConcurrency: 2 });
    expect((await beat(of, { ...registration, statusMessage: 'again' })).status).toBe(200);
    expect(await of.forge.operations.listRunners()).toMatchObject([
      {
        ...{ name: 'default', status: 'healthy', tags: ['automn'], maxConcurrency: 2, labels: runtimes },
        capabilities: [
          { id: 'script.run', inputSchema: { properties: { language: { enum: ['node', 'bash'] } } } },
        ],
      },
    ]);
  });

  it.each([
    [{}, 400, 'Runner secret is required'],
    [{ secret: 'x' }, 400, 'Runner endpoint is required'],
    [{ secret: 'x', endpoint: 'ftp://x' }, 400, 'Runner endpoint must be a valid http(s) URL'],
    [
      { secret: 'x', endpoint: 'http://x/', maxConcurrency: -1 },
      400,
      'What the runner says of itself cannot be taken: maxConcurrency: Too small: expected number to be >0 (it is -1).',
    ],
    [{ secret: 'a-secret-of-nobody', endpoint: 'http://x/' }, 401, 'Invalid runner secret'],
  ])('%j is answered %s %s', async (body, status, error) => {
    const { status: answered, said } = await beat(await open(), body);
    expect([answered, said['error']]).toEqual([status, error]);
  });

  it('of a runner that was revoked is refused as of one that is disabled', async () => {
    const { of, registration } = await pair();
    const [runner] = await of.forge.operations.listRunners();
    await of.forge.operations.revokeRunner(runner?.id ?? '');
    await of.forge.operations.revokeToken('fleet');
    expect(await beat(of, registration)).toMatchObject({ status: 403, said: { code: 'runner_disabled' } });
  });

  it('may come with a secret of JobForge’s, for that machine alone', async () => {
    const { of, registration } = await pair();
    const [runner] = await of.forge.operations.listRunners();
    const { runnerSecret: secret } = await of.forge.operations.rotateRunnerSecret(runner?.id ?? '', {
      overlapMs: 0,
    });
    expect((await beat(of, { ...registration, secret })).status).toBe(200);
    expect(await of.forge.operations.listRunners()).toHaveLength(1);
    expect((await beat(of, { ...registration, secret }, 'another')).status).toBe(401);
  });

  it('with the secret of another one that is there gets nothing of that one’s', async () => {
    const { of, runner, registration } = await pair();
    const [known] = await of.forge.operations.listRunners();
    const { runnerSecret: secret } = await of.forge.operations.rotateRunnerSecret(known?.id ?? '', {
      overlapMs: 0,
    });
    expect((await beat(of, { ...registration, secret })).status).toBe(200);
    const thief = await scripted();
    const stolen = { ...registration, secret, endpoint: thief.endpoint };
    expect(await Promise.all([1, 2].map(() => beat(of, stolen, 'another')))).toMatchObject([
      { status: 401 },
      { status: 401 },
    ]);
    const job = await script(of, { variables: { TOKEN: 'hush' } });
    const posted = await Promise.race([runner.next(), thief.next()]);
    expect(posted.headers['x-automn-runner-id']).toBe('default');
    posted.result();
    await job.result();
    expect(runner.posted()).toBe(1);
  });

  it('of a runner that can run none of our languages offers nothing', async () => {
    const { of } = await pair({ runtimes: { powershell: '7.4' } });
    const [runner] = await of.forge.operations.listRunners();
    expect(runner).toMatchObject({ status: 'healthy', capabilities: [] });
  });
});

describe('a script', () => {
  it('is posted with the secret, streams what it prints, and ends with what it returned', async () => {
    const { of, runner, registration } = await pair();
    const input = { input: { a: 2 }, variables: { B: 'two' } };
    const job = await script(of, input, { timeoutMs: 1_500 });
    const posted = await runner.next();
    expect(posted.headers).toMatchObject({
      ...{ 'x-automn-runner-secret': registration.secret, 'x-automn-runner-id': 'default' },
    });
    expect(posted.run).toMatchObject({
      reqBody: { a: 2 },
      script: { language: 'node', timeout: 2, variables: [{ envName: 'B', value: 'two', scope: 'job' }] },
    });
    expect(posted.run.script.code).toMatch(/^globalThis\.job \?\?= .*\njob\.return\(1\)$/);
    posted.line({ type: 'log', line: 'half a ' });
    posted.line({ type: 'progress', percent: 50 });
    posted.line({ type: 'log', line: 'line\n' });
    posted.result({
      ...{ stdout: 'half a line', returnData: { sum: 3 } },
      automnLogs: [{ message: 'done', level: 'success', type: 'general', context: {} }],
      automnNotifications: [
        { order: 0, audience: 'ops', message: 'look', level: 'error', raw: 'look', timestamp: 'now' },
      ],
    });
    expect(await job.result()).toMatchObject({
      success: true,
      data: {
        ...{ exitCode: 0, durationMs: 12, stdout: 'half a line', data: { sum: 3 }, input: { a: 2 } },
        logs: [{ level: 'info', message: 'done' }],
        notifications: [{ level: 'error', message: 'look', audience: 'ops' }],
      },
    });
    const printed: unknown[] = [];
    for await (const { type, data } of job.events()) if (type === 'job.log') printed.push(data?.['message']);
    expect(printed.join('')).toBe('half a line\n');
  });

  it.each([
    ['a code', (job) => job.result({ code: 3, stderr: 'no' }), 'COMMAND_FAILED'],
    [
      'its time limit',
      (job) => job.result({ code: 1, duration: 30_001, stderr: 'Timeout exceeded.' }),
      'EXECUTION_TIMEOUT',
    ],
    ['its words alone', (job) => job.result({ code: 1, stderr: 'Timeout exceeded.' }), 'COMMAND_FAILED'],
    [
      'packages that are not there',
      (job) => job.result({ code: 90, errorCode: 'NODE_DEPENDENCY_INSTALL_FAILED' }),
      'NODE_DEPENDENCY_INSTALL_FAILED',
    ],
    ['401', (job) => job.refuse(401, 'Invalid runner secret'), 'RUNNER_PROTOCOL_ERROR'],
    ['400', (job) => job.refuse(400, 'Script payload is required'), 'VALIDATION_ERROR'],
    ['what is no JSON', (job) => job.line('not json'), 'RUNNER_LOST'],
    ['a connection that breaks', (job) => job.drop(), 'RUNNER_LOST'],
  ] as readonly [string, (job: Awaited<ReturnType<ScriptedAutomnRunner['next']>>) => void, string][])(
    'that ends with %s fails',
    async (_what, end, code) => {
      const { of, runner } = await pair();
      const job = await script(of);
      end(await runner.next());
      expect(await job.result()).toMatchObject({ success: false, error: { code } });
    },
  );

  it.each([
    [429, 'Runner is at capacity'],
    [503, 'Runner is shutting down'],
  ])('that is answered %s %s is offered again after a while, at no cost', async (status, why) => {
    const { of, runner } = await pair();
    const job = await script(of);
    for (let times = 1; times <= 5; times += 1) (await arrival(of, runner)).refuse(status, why);
    (await arrival(of, runner)).result();
    expect(await job.result()).toMatchObject({ success: true });
    expect(runner.posted()).toBe(6);
  });

  it('waits where nobody listens at the endpoint, until its runner registers again', async () => {
    const { of, runner, registration } = await pair();
    const away = { ...registration, endpoint: 'http://127.0.0.1:1/api/run' };
    expect((await beat(of, away)).status).toBe(200);
    const job = await script(of);
    const shown = async () => (await of.forge.operations.listRunners())[0]?.status;
    await expect.poll(shown, { timeout: 15_000 }).not.toBe('healthy');
    expect((await beat(of, registration)).status).toBe(200);
    (await arrival(of, runner)).result();
    expect(await job.result()).toMatchObject({ success: true });
  });

  it('that is cancelled is hung up on', async () => {
    const { of, runner } = await pair();
    const job = await script(of);
    const posted = await runner.next();
    posted.line({ type: 'log', line: 'on\n' });
    for await (const { type } of job.events()) if (type === 'job.log') break;
    await job.cancel();
    await posted.closed;
    await job.result();
    expect((await job.show()).status).toBe('cancelled');
  });

  it.each([
    ['removed', ({ operations }, id) => operations.deregisterRunner(id, {})],
    ['revoked', ({ operations }, id) => operations.revokeRunner(id)],
  ] as readonly [string, (forge: JobForge, id: string) => Promise<unknown>][])(
    'of a runner that is %s is hung up on',
    async (_what, remove) => {
      const { of, runner } = await pair();
      const job = await script(of);
      const posted = await runner.next();
      posted.line({ type: 'log', line: 'on\n' });
      for await (const { type } of job.events()) if (type === 'job.log') break;
      const [known] = await of.forge.operations.listRunners();
      await remove(of.forge, known?.id ?? '');
      await posted.closed;
    },
  );

  it('whose answer cannot be read is hung up on', async () => {
    const { of, runner } = await pair();
    const job = await script(of);
    const posted = await runner.next();
    posted.line('not json');
    expect(await job.result()).toMatchObject({ error: { code: 'RUNNER_LOST' } });
    await posted.closed;
  });

  it('waits where the runner has no interpreter for it, or no words for what it asks', async () => {
    const { of } = await pair();
    await expect(script(of, { language: 'python' })).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR', message: expect.stringContaining('script.run') },
    });
    await expect(script(of, { stdin: 'x' })).rejects.toMatchObject({
      envelope: { code: 'VALIDATION_ERROR' },
    });
  });
});

it('a runner that does not register any more is there no more, and is there again when it does', async () => {
  const { of, registration } = await pair();
  const status = async (): Promise<string | undefined> =>
    (await of.forge.operations.listRunners())[0]?.status;
  const until = async (wanted: string, stepMs: number): Promise<void> => {
    await expect
      .poll(
        async () => {
          of.clock.advance(stepMs);
          return status();
        },
        { timeout: 15_000, interval: 5 },
      )
      .toBe(wanted);
  };
  of.clock.advance(60_000);
  await until('offline', 5_000);
  expect((await beat(of, registration)).status).toBe(200);
  await until('healthy', 0);
});
