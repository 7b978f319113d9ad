import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../served-runner.js';
import { serve, startHost } from './served.js';

// What a Quarterback's own runner sends once and forgets: reports, logs and results arrive here whatever comes between.

/** A control plane that does not answer calls of a path with such a text. */
function notTaking(path: string, text: string): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const body = request.body ? await request.clone().text() : '';
    if (request.url.endsWith(path) && body.includes(text)) throw new TypeError('the line is cut');
    return fetch(request);
  };
}

test('reports that are not taken are sent again, and the end comes last', async () => {
  const host = await startHost();
  await serve(host);
  host.behaviour.failing.set('/status', [500, 503]);
  host.behaviour.failing.set('/logs', [500]);
  const task = await host.ended(host.task('echo out'));
  expect(task.status).toBe('success');
  expect(host.printed(task)).toBe('out\n');
  const paths = host.calls.all.filter(({ path, status }) => status === 200 && /logs|status/.test(path));
  expect(paths.at(-1)?.path).toBe('/status');
});

test('a log that is refused does not keep the end from being told', async () => {
  const host = await startHost();
  await serve(host);
  host.behaviour.failing.set('/logs', [413]);
  expect((await host.ended(host.task('true'))).status).toBe('success');
});

test('a result outlives the runner', async () => {
  const host = await startHost();
  const stateDirectory = temporaryFolder();
  const runner = await serve(host, {}, { stateDirectory, fetch: notTaking('/status', '"success"') });
  const task = host.task('true');
  await host.calls.first(({ path }) => path === '/logs');
  await runner.stop({ drainMs: 1 });
  expect(task.status).toBe('running');
  await serve(host, {}, { stateDirectory });
  expect((await host.ended(task)).status).toBe('success');
});

test('a task that a killed runner had is told to be lost by its next start', async () => {
  const host = await startHost();
  const stateDirectory = temporaryFolder();
  const runner = await serve(host, {}, { stateDirectory, fetch: notTaking('/status', '"error"') });
  const task = host.task('echo on; sleep 60');
  await host.said(task, 'on');
  const asItWas = join(temporaryFolder(), 'state');
  cpSync(stateDirectory, asItWas, { recursive: true });
  await runner.stop({ drainMs: 1 });
  await serve(host, {}, { stateDirectory: asItWas });
  expect((await host.ended(task)).messages.at(-1)).toMatch(/RUNNER_LOST/);
});
