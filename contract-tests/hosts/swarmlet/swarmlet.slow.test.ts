import { shell } from '@controlplane/capabilities/shell';
import { swarmlet, swarmletHosts } from '@controlplane/runner-sdk/swarmlet';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createArrivals } from '../arrivals.js';
import { recorded } from '../matches-recorded.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import { serve, startHost } from './served.js';
import { TRANSCRIPT } from './transcript.js';

// A runner with the shell capability at a Swarmlet: what it says there, and what Swarmlet's own runner got wrong.

afterEach(() => vi.unstubAllEnvs());

describe('the protocol', () => {
  test('a recorded session is held frame by frame', async () => {
    const host = await startHost();
    await serve(host);
    const expected = TRANSCRIPT.filter(({ from }) => from === 'runner');
    let said = 0;
    for (const { from, frame } of TRANSCRIPT) {
      if (from === 'runner') {
        said += 1;
        await host.frames.count(({ type }) => type !== 'heartbeat', said);
      } else if (frame['type'] === 'exec_request') {
        host.exec(String(frame['command']), {
          id: String(frame['job_id']),
          timeoutSecs: Number(frame['timeout_secs']),
        });
      } else host.cancel({ id: String(frame['job_id']) });
    }
    const heard = host.frames.all.filter(({ type }) => type !== 'heartbeat');
    expect(heard).toEqual(expected.map(({ frame }) => recorded(frame)));
    expect(host.strange).toEqual([]);
  });

  test('beats at the interval of HEARTBEAT_INTERVAL_MS', async () => {
    const host = await startHost();
    vi.stubEnv('HEARTBEAT_INTERVAL_MS', '50');
    await serve(host);
    await host.frames.count(({ type }) => type === 'heartbeat', 3);
  });

  test('is known by its name where it has no number', async () => {
    const host = await startHost();
    await serve(host, { runnerId: undefined });
    expect(await host.frames.first(({ type }) => type === 'hello')).toMatchObject({
      runner_id: null,
      runner_name: 'builder',
    });
  });

  test('serves every control plane that LONGHOUSE_URLS lists', async () => {
    const hosts = [await startHost(), await startHost()];
    vi.stubEnv('LONGHOUSE_URLS', hosts.map(({ url }) => url).join(', '));
    const runner = await startRunner({ hosts: swarmletHosts({ runnerId: 7, secret: 'seven-secret' }) });
    await runner.ready();
    // Ids are each control plane's own: the same one at both is two jobs.
    const jobs = hosts.map((host) => host.exec('echo mine', { id: 'same' }));
    for (const [index, job] of jobs.entries()) await hosts[index]?.ended(job);
    expect(jobs.map(({ status, stdout }) => [status, stdout])).toEqual([
      ['success', 'mine\n'],
      ['success', 'mine\n'],
    ]);
  });

  test('a runner of the profile readonly says so, and refuses what needs a shell', async () => {
    const host = await startHost();
    const capabilities = [shell({ profile: 'readonly', allow: ['/tmp'] })];
    await serve(host, {}, { capabilities });
    expect(await host.frames.first(({ type }) => type === 'hello')).toMatchObject({
      metadata: { capabilities: ['exec.readonly'] },
    });
    expect(await host.ended(host.exec('ls "/tmp"'))).toMatchObject({ status: 'success' });
    expect((await host.ended(host.exec('ls /tmp | wc -l'))).error).toMatch(/"\|".*only a shell/);
    expect((await host.ended(host.exec('rm -rf /tmp/x'))).error).toMatch(/COMMAND_NOT_ALLOWED/);
  });
});

test('RUNNER_CAPABILITIES without exec.full is not served by a runner of any command line', async () => {
  vi.stubEnv('RUNNER_CAPABILITIES', 'exec.readonly');
  const hosts = [swarmlet({ url: 'ws://127.0.0.1:1', runnerId: 7, secret: 'seven-secret' })];
  await expect(startRunner({ hosts })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringMatching(/RUNNER_CAPABILITIES is "exec\.readonly".*shell\.full/),
  });
  vi.stubEnv('RUNNER_CAPABILITIES', 'exec.readonly, exec.full');
  const host = await startHost();
  await serve(host);
});

test('a runner that goes while it runs nothing warns of nothing', async () => {
  const warnings: unknown[] = [];
  const warn = (...line: unknown[]): void => void warnings.push(line);
  const nothing = (): void => undefined;
  const host = await startHost();
  const runner = await serve(host, {}, { logger: { debug: nothing, info: nothing, warn, error: warn } });
  // What is said of the profile when it starts is none of it.
  warnings.length = 0;
  await runner.stop();
  expect(warnings).toEqual([]);
});

describe('identity', () => {
  test('a one-time token becomes an identity that outlives the process', async () => {
    const host = await startHost();
    const stateDirectory = temporaryFolder();
    const options = { runnerId: undefined, secret: undefined, enrollToken: host.token() };
    const first = await serve(host, options, { stateDirectory, name: 'fresh' });
    expect(first.runnerId).toBe('8');
    await first.stop();
    await serve(host, options, { stateDirectory, name: 'fresh' });
    expect(await host.ended(host.exec('echo back', { runner: 'fresh' }))).toMatchObject({ stdout: 'back\n' });
  });

  test.each([
    [
      'a used token',
      { secret: undefined, enrollToken: 'used' },
      { code: 'CREDENTIAL_INVALID', exitCode: 67 },
    ],
    ['a wrong secret', { secret: 'wrong' }, { code: 'CREDENTIAL_INVALID', exitCode: 67 }],
    ['another number', { runnerId: 99 }, { code: 'RUNNER_MISMATCH', exitCode: 73 }],
  ])('%s is refused for good, with a code and a remedy', async (_what, options, refusal) => {
    const host = await startHost();
    const runner = await startRunner({
      hosts: [
        swarmlet({ url: host.url, runnerId: 7, secret: 'seven-secret', reconnectDelayMs: 20, ...options }),
      ],
    });
    await expect(runner.ready()).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED', refusal });
    expect(runner.state).toBe('refused');
  });

  test('a runner that is revoked stops, with the reason of the control plane', async () => {
    const host = await startHost();
    const runner = await serve(host);
    host.runnerOf('builder').isRevoked = true;
    host.drop();
    await expect.poll(() => runner.state, { timeout: 15_000 }).toBe('refused');
  });

  test('an identity that was kept and is not taken any more is replaced where there is a token', async () => {
    const host = await startHost();
    const options = { stateDirectory: temporaryFolder(), name: 'fresh' };
    const given = { runnerId: undefined, secret: undefined };
    const first = await serve(host, { ...given, enrollToken: host.token() }, options);
    await first.stop();
    host.rotateSecret('fresh');
    const stale = await startRunner({ hosts: [swarmlet({ ...given, url: host.url })], ...options });
    await expect(stale.ready()).rejects.toMatchObject({ refusal: { code: 'CREDENTIAL_INVALID' } });
    // It is not offered once more, with or without a token.
    const bare = await startRunner({ hosts: [swarmlet({ ...given, url: host.url })], ...options });
    await expect(bare.ready()).rejects.toMatchObject({ refusal: { code: 'CREDENTIAL_MISSING' } });
    const second = await serve(host, { ...given, enrollToken: host.token() }, options);
    await second.stop();
    host.rotateSecret('fresh');
    await serve(host, { ...given, enrollToken: host.token() }, options);
    expect(await host.ended(host.exec('echo new', { runner: 'fresh' }))).toMatchObject({ stdout: 'new\n' });
  });

  test('a secret that cannot be read for a while is not one that was refused', async () => {
    const host = await startHost();
    let secret: string | undefined = 'seven-secret';
    const unread = createArrivals<true>();
    await serve(host, {
      secret() {
        if (secret !== undefined) return secret;
        unread.push(true);
        throw new Error('the store of secrets is away');
      },
    });
    secret = undefined;
    const rotated = host.rotateSecret('builder');
    await unread.count(() => true, 2);
    secret = rotated;
    await host.connections.count(() => true, 2);
    expect(await host.ended(host.exec('echo again'))).toMatchObject({ stdout: 'again\n' });
  });

  test('a secret that was rotated is read again where it comes from a function or a file', async () => {
    const host = await startHost();
    let secret = 'seven-secret';
    await serve(host, { secret: () => secret });
    secret = host.rotateSecret('builder');
    await host.connections.count(() => true, 2);
    expect(await host.ended(host.exec('echo again'))).toMatchObject({ stdout: 'again\n' });
  });
});
