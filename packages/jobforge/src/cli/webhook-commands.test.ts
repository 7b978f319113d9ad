import { afterEach, expect, it } from 'vitest';
import { closeApis, serveApi } from '../api/api-server.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

afterEach(closeApis);

it('webhooks are added, listed and removed', async () => {
  const { url } = await serveApi();
  expect((await runJobforge(url, ['webhook', 'list'])).out).toEqual(['no webhook is registered yet']);
  const added = await runJobforge(url, [
    ...['webhook', 'add', 'https://example.org/hook', '--id', 'ci'],
    ...['--event', 'job.failed', '--event', 'job.expired', '--type', 'echo'],
  ]);
  expect(added.out[0]).toBe('webhook ci  https://example.org/hook');
  expect(added.out[1]).toMatch(/^key {2}whsec_/);
  expect((await runJobforge(url, ['webhook', 'list'])).out[1]).toMatch(
    /^ci +https:\/\/example.org\/hook +job.failed, job.expired +echo$/,
  );
  expect((await runJobforge(url, ['webhook', 'remove', 'ci'])).out).toEqual(['webhook ci  removed']);
  expect((await runJobforge(url, ['webhook', 'remove', 'ci'])).err[0]).toContain('WEBHOOK_NOT_FOUND');
});

it.each([
  ['webhook add', ['webhook', 'add', 'https://example.org/hook']],
  ['webhook list', ['webhook', 'list']],
  ['webhook key', ['webhook', 'key']],
] as const)('%s prints its documented shape', async (name, argv) => {
  const { url } = await serveApi();
  const { code, out } = await runJobforge(url, [...argv, '--json']);
  expect(code).toBe(0);
  JSON_OUTPUT[name].parse(JSON.parse(out[0] ?? ''));
});

it('what is no URL or no event is not understood', async () => {
  const { url } = await serveApi();
  expect((await runJobforge(url, ['webhook', 'add', 'example.org'])).code).toBe(2);
  expect((await runJobforge(url, ['webhook', 'add', 'http://a', '--event', 'job.log'])).code).toBe(2);
});
