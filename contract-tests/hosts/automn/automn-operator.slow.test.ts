import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../served-runner.js';
import { serve, start, startHost } from './served.js';

const SECRET = 'default-secret';
const TOKEN = 'a-long-reset-token';

/** The page as an operator sees it, and its form as a browser sends it. */
async function page(url: string) {
  const html = await (await fetch(url)).text();
  const [, csrf = ''] = /name="csrf" value="([^"]+)"/.exec(html) ?? [];
  const send = async (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) => {
    const body = new URLSearchParams({ csrf, ...fields });
    const response = await fetch(`${url}${path}`, { method: 'POST', body, headers });
    return { status: response.status, html: await response.text() };
  };
  return { html, csrf, send };
}

const kept = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>;

const reset = async (url: string, body: object) => {
  const response = await fetch(`${url}/internal/reset`, { method: 'POST', body: JSON.stringify(body) });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};

describe('the page of a runner', () => {
  test('takes the secret, registers with it, keeps it, and takes no other any more', async () => {
    const host = await startHost();
    const { runner, url: listening, stateFile } = await start(host);
    const url = await listening();
    const first = await page(url);
    expect(first.html).toContain('name="secret"');
    expect(await first.send('/ui/register', { secret: 'short' })).toMatchObject({ status: 400 });
    expect((await first.send('/ui/register', { secret: SECRET })).html).toContain('Registered.');
    await runner.ready();
    expect(host.registrations.all[0]?.statusMessage).toBe('Runner heartbeat (initial)');
    const { html, send } = await page(url);
    expect(html).not.toContain('name="secret"');
    expect(html).not.toContain(SECRET);
    expect(await send('/ui/register', { secret: 'another-secret-of-some' })).toMatchObject({ status: 403 });
    expect(kept(stateFile)).toMatchObject({ secret: SECRET, runnerId: 'default', hostUrl: host.url });
    await runner.stop({ drainMs: 1 });
    const again = await start(host, { stateFile });
    await again.runner.ready();
    expect((await host.ended(host.run('echo on'))).result).toMatchObject({ stdout: 'on' });
  });

  test('takes a secret where an earlier registration has left none', async () => {
    const host = await startHost();
    const { runner, stateFile } = await serve(host);
    await runner.stop({ drainMs: 1 });
    const again = await start(host, { stateFile });
    const { html, send } = await page(await again.url());
    expect(html).toContain('name="secret"');
    await send('/ui/register', { secret: SECRET });
    await again.runner.ready();
    expect((await host.ended(host.run('echo on'))).result).toMatchObject({ stdout: 'on' });
  });

  test('says what is wrong, and takes no secret where the environment has one', async () => {
    const host = await startHost();
    const { url: listening } = await serve(host);
    const url = await listening();
    const { html, send } = await page(url);
    expect(html).not.toContain('name="secret"');
    expect(await send('/ui/register', { secret: 'another-secret-of-some' })).toMatchObject({ status: 403 });
    expect((await send('/ui/reregister', {})).html).toContain('Registered.');
    host.behaviour.register = 'internal error';
    expect((await send('/ui/reregister', {})).html).toContain('answered 500');
  });
});

describe('the secret', () => {
  test('is replaced by whoever knows the reset token, also where the environment has one', async () => {
    const host = await startHost();
    const { url: listening, runner, stateFile } = await serve(host, { resetToken: TOKEN });
    const url = await listening();
    expect(await reset(url, { token: 'a-long-reset-tokeN', secret: 'x'.repeat(20) })).toEqual({
      status: 403,
      body: { error: 'Invalid reset token' },
    });
    expect(await reset(url, { token: TOKEN, secret: 'short' })).toMatchObject({ status: 400 });
    const secret = host.rotateSecret();
    expect(await reset(url, { token: TOKEN, secret })).toMatchObject({
      status: 200,
      body: { reset: true, secretUpdated: true, registration: { locked: true, secretSource: 'state' } },
    });
    expect((await host.ended(host.run('echo new'))).result).toMatchObject({ stdout: 'new' });
    expect(await host.ended(host.run('echo old', { secret: SECRET }))).toMatchObject({ status: 401 });
    await runner.stop({ drainMs: 1 });
    const again = await serve(host, { resetToken: TOKEN, stateFile });
    expect((await host.ended(host.run('echo kept'))).result).toMatchObject({ stdout: 'kept' });
    await again.runner.stop({ drainMs: 1 });
    const newer = host.rotateSecret();
    await serve(host, { resetToken: TOKEN, stateFile, secret: newer });
  });

  test('is forgotten by a reset without another one', async () => {
    const host = await startHost();
    const { url: listening, runner } = await serve(host, { resetToken: TOKEN });
    const url = await listening();
    expect(await reset(url, { token: TOKEN })).toMatchObject({
      body: { reset: true, secretCleared: true, runner: { secretConfigured: false, locked: false } },
    });
    expect(await host.ended(host.run('true'))).toMatchObject({
      status: 503,
      error: 'Runner secret not configured',
    });
    expect(runner.state).toBe('registering');
  });

  test('cannot be reset where there is no token', async () => {
    const host = await startHost();
    const { url } = await serve(host);
    expect(await reset(await url(), { token: '', secret: 'x'.repeat(20) })).toMatchObject({ status: 404 });
  });

  test('is waited for while it can still be given: a runner with a reset token outlives a rotation', async () => {
    const host = await startHost();
    const { url } = await serve(host, { resetToken: TOKEN, heartbeatMs: 30 });
    const secret = host.rotateSecret();
    await host.answers.count((status) => status === 401, 2);
    expect(await reset(await url(), { token: TOKEN, secret })).toMatchObject({
      body: { secretUpdated: true },
    });
    expect((await host.ended(host.run('echo back'))).result).toMatchObject({ stdout: 'back' });
  });
});

test('the state file of Automn’s own runner is taken over, and then readable by its owner alone', async () => {
  const host = await startHost();
  const stateFile = join(temporaryFolder(), 'state', 'runner-state.json');
  mkdirSync(dirname(stateFile), { mode: 0o755 });
  const lockedAt = '2026-01-01T00:00:00.000Z';
  const old = { secret: SECRET, lockedAt, registeredAt: lockedAt, hostUrl: host.url, runnerId: 'default' };
  writeFileSync(stateFile, JSON.stringify({ ...old, runtimeExecutables: { node: null } }), { mode: 0o644 });
  const { runner } = await start(host, { stateFile });
  await runner.ready();
  expect(kept(stateFile)).toMatchObject({ secret: SECRET, lockedAt, lastRegistrationStatus: 'ok' });
  expect(statSync(stateFile).mode & 0o777).toBe(0o600);
});

describe('a page elsewhere cannot make a browser', () => {
  test('enter a secret, or register', async () => {
    const host = await startHost();
    const { url: listening } = await start(host);
    const url = await listening();
    const { send, csrf } = await page(url);
    const secret = 'secret-of-an-attacker';
    expect((await send('/ui/register', { secret, csrf: '' })).status).toBe(403);
    expect((await send('/ui/register', { secret }, { origin: 'https://evil.example' })).status).toBe(403);
    expect(csrf.length).toBeGreaterThan(30);
    const before = host.answers.all.length;
    const again = await fetch(`${url}/ui/reregister`, { headers: { 'user-agent': 'Mozilla/5.0' } });
    expect(await again.text()).not.toContain('Registered.');
    expect(host.answers.all).toHaveLength(before);
  });

  test.each(['/', '/status'])('reach %s under a name that was made to lead here', async (path) => {
    const host = await startHost();
    const { url } = await start(host);
    const { port } = new URL(await url());
    const status = await new Promise((resolve, reject) => {
      const headers = { host: `evil.example:${port}`, 'user-agent': 'Mozilla/5.0' };
      httpRequest({ host: '127.0.0.1', port, path, headers }, (response) => resolve(response.statusCode))
        .on('error', reject)
        .end();
    });
    expect(status).toBe(421);
  });

  test('frame the page, or load anything into it', async () => {
    const host = await startHost();
    const { url } = await start(host);
    const { headers } = await fetch(await url());
    expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
    expect(headers.get('cache-control')).toBe('no-store');
  });
});
