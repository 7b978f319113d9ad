import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { planDaemon, spanOf } from '../daemon/daemon-plan.js';
import { readArguments } from '../daemon/command-arguments.js';
import { runCli, USAGE } from './run-cli.js';

afterEach(() => vi.unstubAllEnvs());

async function command(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const out: string[] = [];
  const errors: string[] = [];
  const exitCode = await runCli(args, {
    env,
    version: '1.2.3',
    fetch: () => Promise.resolve(new Response(null, { status: 404 })),
    write: (text) => out.push(text),
    writeError: (text) => errors.push(text),
  });
  return { exitCode, out: out.join('\n'), errors: errors.join('\n') };
}

/** The hosts read the environment of the process. */
function setSwarmlet(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env = { RUNNER_ID: '7', RUNNER_SECRET: 'secret', ...more };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  return env;
}

const plan = (args: readonly string[], env: NodeJS.ProcessEnv) =>
  planDaemon(readArguments(args).values, env, '1.2.3');

describe('the command', () => {
  test('says how it is used, and its version', async () => {
    expect(await command(['--help'])).toMatchObject({ exitCode: 0, out: USAGE });
    expect(await command(['--version'])).toMatchObject({ exitCode: 0, out: '1.2.3' });
  });

  test.each([
    [
      [],
      /say whom the runner works for: --host, one or several of jobforge, swarmlet, automn, swamp, quarterback/,
    ],
    [['--host', 'nomad'], /there is no host "nomad"/],
    [['--host', 'swamp', 'walk'], /no command "walk"/],
    [['--host', 'jobforge', '--shell', 'some'], /--shell is "some"/],
    [['--host', 'jobforge', '--concurrency', 'many'], /--concurrency is "many"/],
    [['--host', 'jobforge', '--idle-timeout', 'soon'], /--idle-timeout is "soon"/],
    [['--host', 'jobforge', '--label', 'eu'], /--label is "eu"/],
    [['--nonsense'], /nonsense/],
    [['--host', 'swamp'], /SWAMP_WORKER_TOKEN/],
    [['--host', 'automn'], /AUTOMN_HOST_URL/],
    [['--host', 'quarterback', '--poll-interval', 'often'], /--poll-interval is "often"/],
    [['--host', 'quarterback', '--container-runtime', 'lxc'], /--container-runtime is "lxc"/],
  ])('%j is refused with a reason', async (args, reason) => {
    expect(await command(args)).toMatchObject({ exitCode: 2, errors: expect.stringMatching(reason) });
  });

  test('a secret on the command line is refused, and not shown', async () => {
    const { exitCode, errors } = await command(['--host', 'swamp', '--token=fleet.s3cret']);
    expect(exitCode).toBe(2);
    expect(errors).toMatch(/SWAMP_WORKER_TOKEN_FILE/);
    expect(errors).not.toContain('s3cret');
    expect((await command(['--host', 'quarterback', '--registration-token', 'let-me-in'])).errors).toMatch(
      /REGISTRATION_TOKEN_FILE/,
    );
  });

  test('a file of variables that others may read is refused', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'runner-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'env');
    writeFileSync(file, 'CONTROLPLANE_RUNNER_HOSTS=jobforge\nSET=file\n', { mode: 0o644 });
    expect((await command(['doctor', '--envfile', file])).errors).toMatch(/mode 644.*chmod 600/);
    chmodSync(file, 0o600);
    const env: NodeJS.ProcessEnv = { SET: 'before' };
    expect(await command(['doctor', '--json', '--envfile', file], env)).toMatchObject({ exitCode: 0 });
    expect(env).toMatchObject({ SET: 'before', CONTROLPLANE_RUNNER_HOSTS: 'jobforge' });
  });

  test('doctor says what is wrong, and shows no secret', async () => {
    const env = setSwarmlet({ SWARMLET_URL: 'nowhere' });
    const { exitCode, out } = await command(['doctor', '--host', 'swarmlet'], env);
    expect(exitCode).toBe(1);
    expect(out).toMatch(
      /✗ options and environment make a runner: environment variable SWARMLET_URL is "nowhere"/,
    );
    const well = await command(
      ['doctor', '--json', '--host', 'swarmlet,jobforge'],
      setSwarmlet({ SWARMLET_URL: 'ws://s.example' }),
    );
    expect(JSON.parse(well.out)).toMatchObject({ ok: true });
    const named = await command(
      ['doctor', '--host', 'swarmlet'],
      setSwarmlet({ SWARMLET_URL: 'wss://me:pass-word@s.example/' }),
    );
    expect(named).toMatchObject({ exitCode: 0, out: expect.stringContaining('wss://s.example/ answers') });
    expect(named.out).not.toContain('pass-word');
    expect(well.out).not.toContain('"secret"');
  });
});

describe('what a runner is made of', () => {
  const ids = async (args: readonly string[], env: NodeJS.ProcessEnv): Promise<string[]> =>
    ((await plan(args, env)).options.capabilities ?? []).map(({ id }) => id);

  test('commands only look, unless the environment or the command line says otherwise', async () => {
    expect(await ids(['--host', 'jobforge'], {})).toEqual(['shell.readonly']);
    expect(await ids(['--host', 'swarmlet'], setSwarmlet())).toEqual(['shell.readonly']);
    expect(
      await ids(['--host', 'swarmlet'], setSwarmlet({ RUNNER_CAPABILITIES: 'exec.full,docker' })),
    ).toEqual(['shell.full']);
    vi.stubEnv('SWAMP_WORKER_TOKEN', 'a.b');
    expect(await ids(['--host', 'swamp'], {})).toEqual(['shell.full']);
    expect(await ids(['--host', 'swamp', '--shell', 'readonly'], {})).toEqual(['shell.readonly']);
  });

  test('a Quarterback is served containers, of one image and with the folder that is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'engine-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    vi.stubEnv('PATH', folder);
    await expect(plan(['--host', 'quarterback'], {})).rejects.toThrow(
      /no engine for containers that answers/,
    );
    writeFileSync(join(folder, 'podman'), '#!/bin/sh\necho 5.4.0\n', { mode: 0o755 });
    const asked = [
      '--host',
      'quarterback',
      '--orchestrator-url',
      'https://q.example',
      '--victoria-home',
      folder,
    ];
    const { options } = await plan(asked, { CONTAINER_IMAGE: 'example.com/image:1' });
    expect(options.capabilities?.map(({ id }) => id)).toEqual(['container.run']);
    expect(options.hosts?.map(({ name }) => name)).toEqual(['quarterback']);
    const both = ['--host', 'quarterback,jobforge'];
    await expect(plan(both, {})).rejects.toThrow(/jobforge would be offered containers/);
    const allowed = await plan([...both, '--container-image', 'example.com/image:1'], {});
    expect(allowed.options.capabilities?.map(({ id }) => id)).toEqual(['shell.readonly', 'container.run']);
  });

  test('an Automn is served scripts, in the folder and by the interpreters that its variables name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'automn-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    vi.stubEnv('AUTOMN_HOST_URL', 'http://automn.example');
    vi.stubEnv('AUTOMN_RUNNER_ID', 'default');
    const work = join(folder, 'work');
    const { options } = await plan(['--host', 'automn', '--label', 'region=eu'], {
      AUTOMN_RUNNER_WORKDIR: work,
    });
    expect(options.capabilities?.map(({ id }) => id)).toEqual(['script.run']);
    expect(options.hosts?.map(({ name }) => name)).toEqual(['automn']);
    expect(options.labels).toMatchObject({ region: 'eu', node: process.versions.node });
    expect(existsSync(join(work, 'cache'))).toBe(true);
    await expect(plan(['--host', 'automn'], { AUTOMN_RUNNER_NODE_PATH: join(folder, 'no') })).rejects.toThrow(
      /node: .* is no interpreter/,
    );
    await expect(plan(['--host', 'automn,jobforge'], {})).rejects.toThrow(/would be offered scripts/);
    expect(await ids(['--host', 'automn,jobforge', '--script'], {})).toEqual([
      'shell.readonly',
      'script.run',
    ]);
  });

  test('what one host asks for is not offered to JobForge unasked', async () => {
    vi.stubEnv('SWAMP_WORKER_TOKEN', 'a.b');
    await expect(ids(['--host', 'jobforge,swamp'], {})).rejects.toThrow(
      /jobforge would be offered any command, because swamp sends such/,
    );
    expect(await ids(['--host', 'jobforge,swamp', '--shell', 'readonly'], {})).toEqual(['shell.readonly']);
    expect(await ids(['--host', 'jobforge,swamp', '--shell', 'full'], {})).toEqual(['shell.full']);
  });

  test('commands are kept out of the state directory, however it is named', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'runner-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const args = ['--host', 'jobforge', '--allow', folder];
    expect(await ids(args, {})).toEqual(['shell.readonly']);
    await expect(ids([...args, '--state-dir', join(folder, 'state')], {})).rejects.toThrow(/secrets/);
  });

  test('several hosts are one runner', async () => {
    vi.stubEnv('SWAMP_WORKER_TOKEN', 'a.b');
    vi.stubEnv('SWAMP_WORKER_IDLE_TIMEOUT', '5m');
    vi.stubEnv('LONGHOUSE_URLS', 'wss://a.example,wss://b.example');
    const env = setSwarmlet();
    const args = [
      '--host',
      'swarmlet,swamp',
      '--host',
      'jobforge',
      '--shell',
      'full',
      '--label',
      'region=eu',
      '--concurrency',
      '3',
    ];
    const { kinds, options } = await plan(args, env);
    expect(kinds).toEqual(['swarmlet', 'swamp', 'jobforge']);
    expect(options.hosts?.map(({ name }) => name)).toEqual(['swarmlet', 'swarmlet', 'swamp', 'controlplane']);
    expect(options).toMatchObject({ labels: { region: 'eu' }, maxConcurrency: 3, idleTimeoutMs: 300_000 });
  });

  test.each([
    ['500ms', 500],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['250', 250],
  ])('%s is %i ms', (text, ms) => {
    expect(spanOf('drain', text)).toBe(ms);
  });
});
