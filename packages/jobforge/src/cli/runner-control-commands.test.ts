import { afterEach, describe, expect, it } from 'vitest';
import { closeApis } from '../api/api-server.fixture.js';
import { apiWithRunner } from './api-with-runner.fixture.js';
import { runJobforge } from './cli-run.fixture.js';
import { JSON_OUTPUT } from './json-output.js';

afterEach(closeApis);

describe('what is done to a runner', () => {
  it('says what becomes of it, and runner list shows it', async () => {
    const { url } = await apiWithRunner();
    const disabled = await runJobforge(url, ['runner', 'disable', 'my-runner', '--reason', 'disk swap']);
    expect(disabled).toEqual({ code: 0, out: ['my-runner is disabled; 2 still running'], err: [] });
    expect((await runJobforge(url, ['runner', 'list'])).out[1]).toContain('healthy, disabled');
    expect((await runJobforge(url, ['runner', 'show', 'r1'])).out.join('\n')).toMatch(
      /disabled +disk swap, since /,
    );
    expect((await runJobforge(url, ['runner', 'enable', 'r1'])).out).toEqual(['my-runner is used again']);
    expect((await runJobforge(url, ['runner', 'drain', 'r1'])).out).toEqual([
      'my-runner is draining; 2 still running',
    ]);
    expect((await runJobforge(url, ['runner', 'delete', 'r1', '--force'])).out).toEqual([
      'my-runner is forgotten',
    ]);
    expect((await runJobforge(url, ['runner', 'delete', 'r1'])).code).toBe(1);
  });

  it.each(['drain', 'disable', 'enable', 'verify', 'delete'] as const)(
    '%s prints its documented shape',
    async (deed) => {
      const { url } = await apiWithRunner();
      const { code, out } = await runJobforge(url, ['runner', deed, 'my-runner', '--json']);
      expect(code).toBe(0);
      expect(out).toHaveLength(1);
      JSON_OUTPUT[`runner ${deed}`].parse(JSON.parse(out[0] ?? ''));
    },
  );
});
