import { afterEach, describe, expect, it } from 'vitest';
import { openForges } from '../testing/open-forge.js';
import type { CliContext } from './cli-context.js';
import { runJobforge, type CliRun } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

const ADMIN = 'an-admin-token-of-this-test-0123456789';
const test = openForges();
afterEach(test.close);

/** A JobForge that asks for credentials, and who asks it with the admin token unless told otherwise. */
async function guarded(): Promise<(argv: readonly string[], more?: Partial<CliContext>) => Promise<CliRun>> {
  const forge = await test.forge({ listen: { port: 0 }, auth: { adminToken: ADMIN } });
  const url = forge.url ?? '';
  return (argv, { env = { JOBFORGE_TOKEN: ADMIN }, ...more } = {}) =>
    runJobforge(url, argv, { env: { JOBFORGE_URL: url, ...env }, ...more });
}

describe('jobforge token', () => {
  it('makes a token for programs, which is printed alone and this once', async () => {
    const run = await guarded();
    const made = await run([
      'token',
      'create',
      'ci',
      '--role',
      'submit',
      '--capability',
      'image.*',
      '--expires',
      '30d',
    ]);
    expect(made).toMatchObject({ code: 0, out: [expect.stringMatching(/^ci\.\S{32,}$/)] });
    expect(made.err[0]).toMatch(/"ci" has the role submit for image\.\* until .*; it is shown this once/);
    const list = await run(['token', 'list']);
    expect(list.out[1]).toMatch(/^ci +active +submit image\.\* +\d{4}-/);
    expect(JSON.stringify(list)).not.toContain(made.out[0]?.split('.')[1]);
    expect(await run(['token', 'create', 'ci', '--role', 'read'])).toMatchObject({
      code: 1,
      err: [expect.stringContaining('TOKEN_CONFLICT'), expect.any(String)],
    });
  });

  it('makes a token that takes runners in', async () => {
    const run = await guarded();
    const args = ['token', 'create', 'eu', '--enrollment', '--machines', 'any', '--ephemeral', '--json'];
    const { out } = await run(args);
    const made = JSON_OUTPUT['token create'].parse(JSON.parse(out[0] ?? ''));
    expect(made).toMatchObject({ kind: 'enrollment', state: 'unused', maxMachines: null, durable: false });
    const lastsMs = Date.parse(made.expiresAt ?? '') - Date.parse(made.createdAt);
    expect(lastsMs).toBe(3_600_000);
    expect(await run(['token', 'revoke', 'eu'])).toMatchObject({ code: 0, out: ['eu is revoked'] });
    expect((await run(['token', 'list'])).out[1]).toMatch(/^eu +revoked +enrolls \(0 of any\)/);
  });

  it.each([
    [[], 'Say what the token is for'],
    [['--role', 'root'], 'expected one of read, submit, admin'],
    [['--enrollment', '--role', 'read'], '--role goes with an API token'],
    [['--role', 'read', '--machines', '2'], '--machines goes with --enrollment'],
    [['--role', 'read', '--expires', 'soon'], '"soon" is no length of time'],
    [['--enrollment', '--machines', '0'], 'expected a whole number from 1'],
  ])('refuses what cannot be meant: %j', async (args, words) => {
    const run = await guarded();
    const refused = await run(['token', 'create', 'x', ...args]);
    expect(refused).toMatchObject({ code: 2, out: [] });
    expect(refused.err.join('\n')).toContain(words);
  });
});

describe('jobforge doctor', () => {
  it('names the tokens that are about to leave their users without one', async () => {
    const run = await guarded();
    const checked = async (): Promise<unknown> => {
      const { out } = await run(['doctor', '--json', '--data', '/nowhere']);
      return JSON_OUTPUT.doctor.parse(JSON.parse(out[0] ?? '')).checks.find(({ id }) => id === 'tokens');
    };
    await run(['token', 'create', 'long', '--role', 'read', '--expires', '30d']);
    // Nobody uses it yet: it is meant to be short.
    await run(['token', 'create', 'eu', '--enrollment']);
    expect(await checked()).toMatchObject({ status: 'ok' });
    await run(['token', 'create', 'ci', '--role', 'read', '--expires', '2h']);
    expect(await checked()).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/expire: ci in [12] (h|min)$/) as string,
    });
  });
});

/** What a file holds that a command may be told to read. */
const FILES: Readonly<Record<string, string>> = {
  good: `${ADMIN}\n`,
  two: `${ADMIN}\n${ADMIN}\n`,
  empty: '\n',
};
const readFile = async (path: string): Promise<string> =>
  FILES[path] ?? Promise.reject(new Error('no such file'));

describe('the token of a command', () => {
  it.each([
    [{}, [], 'CREDENTIAL_MISSING'],
    [{}, [], 'or name the file of a token with --token-file'],
    [{ JOBFORGE_TOKEN: 'nobody.knows-this-one' }, [], 'CREDENTIAL_INVALID'],
    [{ JOBFORGE_TOKEN: 'nobody.knows-this-one' }, ['--token-file', 'good'], undefined],
    [{ JOBFORGE_TOKEN: ADMIN, JOBFORGE_TOKEN_FILE: 'missing' }, [], undefined],
    [{ JOBFORGE_TOKEN_FILE: 'good' }, [], undefined],
    [{ JOBFORGE_TOKEN_FILE: 'missing' }, [], 'JOBFORGE_TOKEN_FILE "missing" cannot be read: no such file'],
    [{}, ['--token-file', 'two'], '--token-file "two" is no token'],
    [{}, ['--token-file', 'empty'], '--token-file "empty" is empty'],
  ])('is the one that is named nearest: %j %j', async (env, args, refusal) => {
    const run = await guarded();
    const { code, err } = await run(['job', 'list', ...args], { env, readFile });
    expect(code === 0 ? undefined : err.join()).toEqual(refusal && expect.stringContaining(refusal));
    expect(err.join()).not.toContain(ADMIN);
  });
});

describe('jobforge runner revoke and rotate-secret', () => {
  it('end and renew what a runner proves itself with', async () => {
    const forge = await test.forge({ listen: { port: 0 }, auth: { adminToken: ADMIN } });
    const url = forge.url ?? '';
    const run = async (...argv: string[]): Promise<CliRun> =>
      runJobforge(url, argv, { env: { JOBFORGE_URL: url, JOBFORGE_TOKEN: ADMIN } });
    const stub = await test.runner({ form: 'json', handle: () => undefined });
    const register = async (
      credential: string,
    ): Promise<{ error?: { code: string }; runnerSecret?: string }> => {
      const reply = await fetch(`${url}/runners/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${credential}` },
        body: JSON.stringify(stub.registration({ name: 'one' })),
      });
      return (await reply.json()) as { error?: { code: string }; runnerSecret?: string };
    };
    const [token = ''] = (await run('token', 'create', 'eu', '--enrollment')).out;
    const { runnerSecret = '' } = await register(token);
    expect(runnerSecret).not.toBe('');
    const rotated = await run('runner', 'rotate-secret', 'one', '--overlap', '10m');
    expect(rotated).toMatchObject({
      code: 0,
      err: [expect.stringContaining('of one; the one before is taken until')],
    });
    const [renewed = ''] = rotated.out;
    expect(renewed).not.toBe(runnerSecret);
    expect(await register(runnerSecret)).not.toHaveProperty('error');
    expect(await register(renewed)).not.toHaveProperty('error');
    expect(await run('runner', 'revoke', 'one')).toMatchObject({ code: 0, out: ['one is revoked'] });
    expect(await register(renewed)).toMatchObject({ error: { code: 'TOKEN_REVOKED' } });
  });
});
