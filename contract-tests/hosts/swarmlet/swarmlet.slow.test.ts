import { shell } from '@controlplane/capabilities/shell';
import { swarmlet, swarmletHosts } from '@controlplane/runner-sdk/swarmlet';
import { afterEach, describe, expect, test, vi } from 'vitest';
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

  test('a secret that was rotated is read again where it comes from a function or a file', async () => {
    const host = await startHost();
    let secret = 'seven-secret';
    await serve(host, { secret: () => secret });
    secret = host.rotateSecret('builder');
    await host.connections.count(() => true, 2);
    expect(await host.ended(host.exec('echo again'))).toMatchObject({ stdout: 'again\n' });
  });
});
