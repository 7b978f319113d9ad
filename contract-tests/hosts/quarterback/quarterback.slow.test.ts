import { afterEach, describe, expect, test, vi } from 'vitest';
import { quarterback } from '@controlplane/runner-sdk/quarterback';
import { shell } from '@controlplane/capabilities/shell';
import { recorded } from '../matches-recorded.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import type { QuarterbackCall } from './scripted-quarterback.js';
import { HASTE, processContainers, serve, startHost } from './served.js';
import { TRANSCRIPT } from './transcript.js';

// A runner with the container capability at a Quarterback: what it says there. The containers are processes.

afterEach(() => vi.unstubAllEnvs());

/** Heartbeats and questions without work come as often as time passes. */
const isWork = ({ path, answer }: QuarterbackCall): boolean =>
  path !== '/nodes/heartbeat' && !(path === '/tasks/pending' && answer === null);

describe('the protocol', () => {
  test('a recorded session is held call by call', async () => {
    const host = await startHost();
    const give = TRANSCRIPT.filter(({ path }) => path === '/tasks/pending').map(({ answer }) => answer);
    await serve(host, { reportIntervalMs: 600_000 }, { maxConcurrency: 1 });
    for (const given of give as Array<Record<string, unknown>>) {
      const task = host.task(String(given['prompt']), {
        id: String(given['task_id']),
        timeoutSeconds: Number(given['timeout_seconds']),
        ...(given['files'] ? { files: { 'my report.csv': 'a,b\n' } } : {}),
      });
      await host.ended(task);
    }
    const calls = host.calls.all.filter(isWork);
    expect(calls.map(({ method, path, body }) => ({ method, path, body }))).toEqual(
      TRANSCRIPT.map(({ method, path, body }) => ({ method, path, body: recorded(body) })),
    );
    expect(calls.map(({ status }) => status)).toEqual(TRANSCRIPT.map(() => 200));
    expect(host.strange).toEqual([]);
  });

  test('each call proves who asks, and a log says who wrote it', async () => {
    const host = await startHost();
    await serve(host);
    await host.ended(host.task('true'));
    const [known] = host.known;
    for (const { path, headers } of host.calls.all)
      if (path === '/register') expect(headers).toMatchObject({ 'x-registration-token': 'let-me-in' });
      else expect(headers['x-api-key']).toBe(known?.apiKey);
    const log = await host.calls.first(({ path }) => path === '/logs');
    expect(log.headers['user-agent']).toBe('victoria-runner/1.0');
  });

  test('beats idle, busy with the task, idle again, and offline when it goes', async () => {
    const host = await startHost();
    const runner = await serve(host);
    const beats = (status: string, task: string | null): Promise<unknown> =>
      host.calls.first(
        ({ path, body }) =>
          path === '/nodes/heartbeat' &&
          Reflect.get(body as object, 'status') === status &&
          Reflect.get(body as object, 'current_task_id') === task,
      );
    await beats('idle', null);
    const task = host.task('sleep 0.3');
    await beats('busy', task.id);
    await host.ended(task);
    await runner.stop();
    await beats('offline', null);
    expect(host.known.map(({ status }) => status)).toEqual(['offline']);
  });

  test('tasks for other names are left to those', async () => {
    const host = await startHost();
    await serve(host, { nodeName: 'client-acme-1' });
    const [other, own] = [
      host.task('true', { target: 'client-bee-*' }),
      host.task('true', { target: 'client-acme-*' }),
    ];
    await host.ended(own);
    expect(other.status).toBe('pending');
  });

  test('is told by the environment variables, in the seconds of the command line', async () => {
    const host = await startHost();
    vi.stubEnv('ORCHESTRATOR_URL', host.url);
    vi.stubEnv('REGISTRATION_TOKEN', 'let-me-in');
    vi.stubEnv('NODE_NAME', 'from-the-environment');
    vi.stubEnv('POLL_INTERVAL', '1');
    vi.stubEnv('CONTAINER_IMAGE', 'example.com/missing:1');
    const runner = await startRunner({ hosts: [quarterback()], capabilities: [processContainers()] });
    await runner.ready();
    expect(host.known.map(({ name }) => name)).toEqual(['from-the-environment']);
    expect((await host.ended(host.task('true'))).messages.at(-1)).toMatch(/CONTAINER_NOT_STARTED.*missing:1/);
  });

  test('another capability than containers serves, with the payload that it takes', async () => {
    const host = await startHost();
    await serve(
      host,
      { capability: 'shell.full', payload: ({ prompt }) => ({ command: prompt }) },
      { capabilities: [shell({ profile: 'full' })] },
    );
    const task = await host.ended(host.task('echo $((6 * 7))'));
    expect(host.printed(task)).toBe('42\n');
  });

  test('without a capability for tasks the runner is refused, with what to add', async () => {
    const hosts = [quarterback({ url: 'http://127.0.0.1:1', ...HASTE })];
    await expect(startRunner({ hosts })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/no capability container\.run: add container\(\)/),
    });
  });
});

describe('identity', () => {
  test('a registration outlives the process where there is a state directory', async () => {
    const host = await startHost();
    const stateDirectory = temporaryFolder();
    await (await serve(host, {}, { stateDirectory })).stop();
    await serve(host, {}, { stateDirectory });
    await host.ended(host.task('true'));
    expect(host.known).toHaveLength(1);
    await serve(host, { nodeName: 'another' }, { stateDirectory });
    expect(host.known).toHaveLength(2);
  });

  test('a wrong token is refused for good, with a code and a remedy', async () => {
    const host = await startHost();
    const runner = await startRunner({
      hosts: [quarterback({ url: host.url, ...HASTE, registrationToken: 'wrong' })],
      capabilities: [processContainers()],
    });
    await expect(runner.ready()).rejects.toMatchObject({
      code: 'REGISTRATION_REFUSED',
      refusal: { code: 'CREDENTIAL_INVALID', exitCode: 67 },
    });
  });

  test('without a token there is nothing to register with', async () => {
    const host = await startHost();
    const { registrationToken: _none, ...haste } = HASTE;
    const runner = await startRunner({
      hosts: [quarterback({ url: host.url, ...haste })],
      capabilities: [processContainers()],
    });
    await expect(runner.ready()).rejects.toMatchObject({
      refusal: { code: 'CREDENTIAL_MISSING', remedy: expect.stringContaining('REGISTRATION_TOKEN') },
    });
  });
});
