import {
  QuarterbackNode,
  QuarterbackPending,
  QuarterbackRegistered,
} from '@controlplane/contracts/quarterback';
import { afterAll, describe, expect, it } from 'vitest';
import { openGuarded, type GuardedForge } from '../../testing/guarded-forge.js';

const test = openGuarded();
afterAll(test.close);

interface Asked {
  readonly status: number;
  readonly body: unknown;
}

/** A runner of a Quarterback as far as a test plays it. */
interface Played {
  readonly of: GuardedForge;
  readonly id: string;
  ask(method: 'GET' | 'POST', path: string, body?: object): Promise<Asked>;
  /** Whatever it proved itself with before, it has something new. */
  registerAgain(): Promise<void>;
  pending(): Promise<QuarterbackPending>;
  /** Asks until it is given something. */
  assigned(): Promise<NonNullable<QuarterbackPending>>;
  say(task_id: string, status: string, more?: object): Promise<Asked>;
}

async function call(url: string, method: string, options: { headers: object; body?: object | undefined }) {
  const { headers, body } = options;
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers } as Record<string, string>,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const type = response.headers.get('content-type') ?? '';
  const read = type.includes('json') ? response.json() : response.arrayBuffer();
  return { status: response.status, body: await read };
}

async function played(base = ''): Promise<Played> {
  const of = await test.guarded({ accept: ['quarterback'] });
  const { token } = await of.token({ kind: 'enrollment', name: 'fleet' });
  const registration = { hostname: 'cellar', name: 'victoria', os_type: 'fedora' };
  const register = async () => {
    const headers = { 'x-registration-token': token };
    const { body } = await call(`${of.url}${base}/register`, 'POST', { headers, body: registration });
    return QuarterbackRegistered.parse(body);
  };
  const { id, api_key } = await register();
  let key = api_key;
  const ask: Played['ask'] = (method, path, body) =>
    call(`${of.url}${base}${path}`, method, { headers: { 'x-api-key': key }, body });
  const pending = async (): Promise<QuarterbackPending> =>
    QuarterbackPending.parse((await ask('GET', '/tasks/pending')).body);
  return {
    ...{ of, id, ask, pending },
    async registerAgain() {
      key = (await register()).api_key;
    },
    async assigned() {
      for (;;) {
        const given = await pending();
        if (given !== null) return given;
      }
    },
    say: (task_id, status, more = {}) => ask('POST', '/status', { task_id, status, ...more }),
  };
}

const task = ({ of }: Played, input: object = {}, more: object = {}) =>
  of.forge.submit({
    ...{ capability: 'quarterback.task', retryPolicy: { maxRetries: 0 } },
    input: { prompt: 'look', ...input },
    ...more,
  });

describe('a runner that registers with a token of JobForge', () => {
  it('is given a task when it asks, and the job ends as it says', async () => {
    const runner = await played();
    const { forge } = runner.of;
    const asking = runner.assigned();
    const job = await task(runner, {}, { timeoutMs: 1_500 });
    const assignment = await asking;
    expect(assignment).toMatchObject({ prompt: 'look', timeout_seconds: 2, files: [], file_checksums: [] });
    expect(assignment.orchestrator_url).toBe(`${runner.of.url}/quarterback`);
    expect(await forge.operations.listRunners()).toMatchObject([
      { name: 'victoria', status: 'healthy', tags: ['quarterback'], labels: { os: 'fedora' } },
    ]);
    const { task_id } = assignment;
    expect((await runner.say(task_id, 'running', { message: 'on' })).body).toMatchObject({
      status: 'running',
    });
    await runner.say(task_id, 'analyzing', { progress: 50, message: 'half' });
    const beat = await runner.ask('POST', '/nodes/heartbeat', {
      ...{ node_id: runner.id, status: 'busy', current_task_id: task_id },
    });
    expect(QuarterbackNode.parse(beat.body)).toMatchObject({ id: runner.id, status: 'busy' });
    const messages = [{ role: 'assistant', content: 'seen' }];
    const session = { id: 's-1', cost: 0.5, prompt_tokens: 7, messages };
    expect((await runner.ask('POST', '/logs', { task_id, session })).status).toBe(200);
    await runner.say(task_id, 'success', { message: 'done' });
    expect(await job.result()).toMatchObject({
      success: true,
      data: { message: 'done', answer: 'seen', sessionId: 's-1', cost: 0.5, promptTokens: 7 },
    });
    const told: unknown[] = [];
    for await (const { type, data } of job.events())
      if (type === 'job.log' || type === 'job.progress') told.push(data?.['message']);
    expect(told).toEqual(['on', 'half', 'assistant: seen']);
  });

  it('has begun what it says is running, whatever the message of its failure begins with', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    await runner.say(task_id, 'running');
    await runner.say(task_id, 'error', { message: 'RUNNER_BUSY: says the script itself' });
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_BUSY' } });
  });

  it('finds the files of its task, and nobody else’s', async () => {
    const runner = await played('/quarterback');
    const asking = runner.assigned();
    const files = [
      { name: 'a b.txt', content: 'é' },
      { name: 'raw', content: '/wA=', encoding: 'base64' },
    ];
    const job = await task(runner, { files });
    const { task_id, file_checksums } = await asking;
    expect(file_checksums).toEqual([
      '4a99557e4033c3539de2eb65472017cad5f9557f7a0625a09f1c3f6e2ba69c4c',
      expect.any(String),
    ]);
    const bytesOf = async (name: string): Promise<unknown> => {
      const { status, body } = await runner.ask('GET', `/files/${encodeURIComponent(name)}`);
      return status === 200 ? Buffer.from(body as ArrayBuffer).toString('hex') : status;
    };
    expect(await bytesOf('a b.txt')).toBe('c3a9');
    expect(await bytesOf('raw')).toBe('ff00');
    expect(await bytesOf('other')).toBe(404);
    await runner.say(task_id, 'success');
    await job.result();
  });

  it.each([
    ['out of memory', 'TASK_FAILED'],
    ['Task timed out after 2 seconds', 'EXECUTION_TIMEOUT'],
    ['IMAGE_NOT_FOUND: no such image', 'IMAGE_NOT_FOUND'],
  ])('that says of its task %s has it fail with %s', async (message, code) => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    await runner.say((await asking).task_id, 'error', { message });
    expect(await job.result()).toMatchObject({ success: false, error: { code } });
  });

  it('learns with its next report that its task was cancelled', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    await runner.say(task_id, 'running');
    await job.cancel();
    expect((await runner.say(task_id, 'running')).body).toMatchObject({ task_id, status: 'cancelled' });
    await job.result();
    expect((await job.show()).status).toBe('cancelled');
  });

  it('is given nothing while it does not ask, and what it said nothing of three times at most', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    for (let times = 1; times < 3; times += 1) {
      runner.of.clock.advance(10_000);
      expect((await runner.pending())?.task_id).toBe(task_id);
    }
    runner.of.clock.advance(10_000);
    const last = runner.pending();
    expect(await job.result()).toMatchObject({ error: { code: 'RUNNER_PROTOCOL_ERROR' } });
    runner.of.clock.advance(10_000);
    expect(await last).toBeNull();
  });

  it('is not given again what it said nothing of and was cancelled meanwhile', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    await job.cancel();
    runner.of.clock.advance(10_000);
    const next = runner.pending();
    await job.result();
    expect((await job.show()).status).toBe('cancelled');
    runner.of.clock.advance(10_000);
    expect(await next).toBeNull();
    expect((await runner.say(task_id, 'running')).body).toMatchObject({ status: 'cancelled' });
  });

  it('has lost what it does not say the end of, and says for a lease that it does not run', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    const beat = async (status: 'idle' | 'busy'): Promise<void> => {
      const current_task_id = status === 'busy' ? task_id : null;
      await runner.ask('POST', '/nodes/heartbeat', { node_id: runner.id, status, current_task_id });
    };
    // In steps that a runner's signs of life keep up with.
    const pass = async (ms: number): Promise<void> => {
      for (let left = ms; left > 0; left -= 2_000) {
        runner.of.clock.advance(Math.min(left, 2_000));
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await runner.say(task_id, 'running');
    for (const said of ['idle', 'busy', 'idle'] as const) {
      await pass(15_000);
      await beat(said);
    }
    await pass(15_000);
    await runner.say(task_id, 'analyzing');
    await beat('idle');
    await pass(19_999);
    await beat('idle');
    expect((await runner.say(task_id, 'running')).body).toMatchObject({ status: 'running' });
    await beat('idle');
    await pass(20_000);
    await beat('idle');
    expect(await job.result()).toMatchObject({
      error: { code: 'RUNNER_LOST', message: expect.stringContaining('does nothing') },
    });
    const next = runner.assigned();
    const another = await task(runner);
    await runner.say((await next).task_id, 'success');
    expect(await another.result()).toMatchObject({ success: true });
  });

  it('may say how its task ended when it has registered once more meanwhile', async () => {
    const runner = await played();
    const asking = runner.assigned();
    const job = await task(runner);
    const { task_id } = await asking;
    await runner.say(task_id, 'running');
    await runner.registerAgain();
    await runner.ask('POST', '/nodes/heartbeat', { node_id: runner.id, status: 'idle' });
    await runner.say(task_id, 'success', { message: 'late' });
    expect(await job.result()).toMatchObject({ success: true, data: { message: 'late' } });
  });

  it('is answered with nothing after ten seconds without', async () => {
    const runner = await played();
    const asking = runner.pending();
    await expect
      .poll(async () => (await runner.of.forge.operations.listRunners())[0]?.status, { timeout: 15_000 })
      .toBe('healthy');
    const answered = asking.then(() => true);
    const isAnswered = async (): Promise<boolean> => {
      runner.of.clock.advance(1_000);
      return Promise.race([answered, new Promise<false>((resolve) => setImmediate(() => resolve(false)))]);
    };
    await expect.poll(isAnswered, { timeout: 15_000, interval: 5 }).toBe(true);
    expect(await asking).toBeNull();
  });

  it('says so when it goes', async () => {
    const runner = await played();
    const beat = (status: string) =>
      runner.ask('POST', '/nodes/heartbeat', { node_id: runner.id, status, current_task_id: null });
    const shown = async (): Promise<string | undefined> =>
      (await runner.of.forge.operations.listRunners())[0]?.status;
    await beat('idle');
    expect(await shown()).toBe('healthy');
    await beat('offline');
    expect(await shown()).toBe('offline');
    expect((await runner.ask('POST', '/nodes/heartbeat', { node_id: 'x', status: 'idle' })).status).toBe(403);
  });

  it('whose key was revoked is refused', async () => {
    const runner = await played();
    await runner.of.forge.operations.revokeRunner(runner.id);
    expect((await runner.ask('GET', '/tasks/pending')).status).toBe(401);
  });
});
