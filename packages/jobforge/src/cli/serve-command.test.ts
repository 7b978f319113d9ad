import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminToken } from './admin-token.js';
import type { ForgeOptions } from './cli-context.js';
import { runJobforge, type CliRun } from './cli-run.fixture.js';
import { testFolder } from './jobforge-process.fixture.js';

/** Runs `jobforge serve` until its first signal, which comes as soon as it is ready. */
async function serve(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<CliRun & { readonly started: readonly ForgeOptions[] }> {
  const started: ForgeOptions[] = [];
  const run = await runJobforge('', ['serve', ...argv], {
    env,
    readFile: async (path) => `text of ${path}`,
    startForge: async (options) => {
      started.push(options);
      return {
        url: 'http://127.0.0.1:3002',
        running: () => 0,
        stop: async () => ({ handedBack: 0 }),
      };
    },
    onSignal: (stop) => {
      setImmediate(stop);
      return () => undefined;
    },
  });
  return { ...run, started };
}

describe('jobforge serve', () => {
  it('asks for credentials, on loopback with its store in ./data, unless told otherwise', async () => {
    const { code, started } = await serve([]);
    expect(code).toBe(0);
    expect(started).toEqual([
      expect.objectContaining({
        ...{ host: '127.0.0.1', port: 3002, store: 'sqlite:data/jobforge.db', folder: './data' },
        auth: { adminTokenFile: undefined },
      }),
    ]);
    expect(started[0]?.allowPrivateWebhooks ?? false).toBe(false);
  });

  it('takes its database from DATABASE_URL, where no process of the machine sees it, and shows no password', async () => {
    const env = { DATABASE_URL: 'postgres://me:hunter2@db/jobs' };
    const run = await serve(['--host', '0.0.0.0'], env);
    expect(run.started[0]).toMatchObject({ store: env.DATABASE_URL, folder: undefined, files: 'data/files' });
    expect(run.out.join()).not.toContain('hunter2');
    expect((await serve(['--memory'], env)).started[0]).toMatchObject({ store: 'memory' });
    const named = await serve(['--store', 'postgres://me:x@other/jobs'], env);
    expect(named.started[0]).toMatchObject({ store: 'postgres://me:x@other/jobs' });
  });

  it('lets in the runners of the systems that are named, and of no others', async () => {
    expect((await serve([])).started[0]).toMatchObject({ accept: [] });
    const named = await serve(['--accept', 'swarmlet,automn', '--accept', 'swamp']);
    expect(named.started[0]).toMatchObject({ accept: ['swarmlet', 'automn', 'swamp'] });
    const wrong = await serve(['--accept', 'swarm']);
    expect([wrong.code, wrong.started]).toEqual([2, []]);
    expect(wrong.err.join()).toContain('swarmlet, automn, quarterback, swamp');
  });

  it('lets everybody in on loopback alone', async () => {
    const [open] = (await serve(['--no-auth'])).started;
    expect(open).not.toHaveProperty('auth');
    const run = await serve(['--no-auth', '--host', '0.0.0.0']);
    expect(run).toMatchObject({ code: 2, started: [], err: [expect.stringContaining('loopback alone')] });
  });

  it('takes a certificate with its key, or neither', async () => {
    const { started } = await serve(['--tls-cert', 'c.pem', '--tls-key', 'k.pem']);
    expect(started[0]?.tls).toEqual({ cert: 'text of c.pem', key: 'text of k.pem' });
    expect(await serve(['--tls-cert', 'c.pem'])).toMatchObject({ code: 2, started: [] });
  });
});

describe('the admin token', () => {
  it('is made once in the data folder, for its owner alone', async () => {
    const folder = join(await testFolder(), 'data');
    const sources = { env: {}, file: undefined, folder };
    const made = await adminToken(sources);
    expect(made.token.length).toBeGreaterThanOrEqual(32);
    expect(await adminToken(sources)).toEqual(made);
    const path = join(folder, 'admin.token');
    expect(made.madeIn).toBe(path);
    expect(readFileSync(path, 'utf8').trim()).toBe(made.token);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('comes from a named file, the environment or a mounted file before that', async () => {
    const folder = await testFolder();
    const [named, mounted] = [join(folder, 'named'), join(folder, 'mounted')];
    writeFileSync(named, 'from-named\n');
    writeFileSync(mounted, 'from-mounted\n');
    const env = { JOBFORGE_ADMIN_TOKEN: 'from-env', JOBFORGE_ADMIN_TOKEN_FILE: mounted };
    expect(await adminToken({ env, file: named, folder })).toEqual({ token: 'from-named' });
    expect(await adminToken({ env, file: undefined, folder })).toEqual({ token: 'from-env' });
    const { JOBFORGE_ADMIN_TOKEN_FILE } = env;
    expect(await adminToken({ env: { JOBFORGE_ADMIN_TOKEN_FILE }, file: undefined, folder })).toEqual({
      token: 'from-mounted',
    });
  });

  it.each([
    [{}, undefined, 'nobody could get in'],
    [{}, '/nowhere/token', '--admin-token-file "/nowhere/token" cannot be read'],
    [{ JOBFORGE_ADMIN_TOKEN_FILE: '/nowhere' }, undefined, 'JOBFORGE_ADMIN_TOKEN_FILE "/nowhere"'],
  ])('is missed where there is none and no folder to make it in (%#)', async (env, file, words) => {
    await expect(adminToken({ env, file, folder: undefined })).rejects.toMatchObject({
      envelope: { message: expect.stringContaining(words) },
    });
  });
});
