import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { defineCapability } from '@controlplane/runner-sdk';
import { quarterback } from '@controlplane/runner-sdk/quarterback';
import { expect, onTestFinished, test, vi } from 'vitest';
import { z } from 'zod';
import { createArrivals } from '../arrivals.js';
import { runs, uniqueSeconds } from '../process-table.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import { HASTE, processContainers, serve, startHost } from './served.js';

// What a Quarterback's own runner gets wrong, one test each. The containers are processes.

const RUNS_ALONE = { maxConcurrency: 1 };

test('a container that cannot be started is reported', async () => {
  const host = await startHost();
  await serve(host, { image: 'example.com/missing:1' });
  const task = await host.ended(host.task('true'));
  expect(task).toMatchObject({ status: 'error' });
  expect(task.messages.at(-1)).toMatch(/CONTAINER_NOT_STARTED/);
});

test.each([
  [
    'is not there',
    { files: { 'a.csv': '1' }, more: { files: ['b.csv'], file_checksums: [] } },
    /"b\.csv" could not be fetched.*404/,
  ],
  ['is another one', { files: { 'a.csv': '1' }, checksums: ['0'.repeat(64)] }, /SHA-256/],
  [
    'has no checksum where others have',
    { files: { a: '1', b: '2' }, checksums: ['0'.repeat(64)] },
    /2 files and 1 checksums/,
  ],
  ['is too large', { files: { 'a.csv': 'x'.repeat(2_000) } }, /larger than 1000 bytes/],
])('a file that %s is reported', async (_what, options, reason) => {
  const host = await startHost();
  await serve(host, { maxFileBytes: 1_000 });
  expect((await host.ended(host.task('true', options))).messages.at(-1)).toMatch(reason);
});

test('a task that cannot be read is reported', async () => {
  const host = await startHost();
  await serve(host);
  const task = await host.ended(host.task('true', { more: { prompt: undefined } }));
  expect(task.messages.at(-1)).toMatch(/the task cannot be read.*prompt/s);
});

test('a prompt that no program can be given is reported', async () => {
  const host = await startHost();
  await serve(host);
  const task = await host.ended(host.task(`true ${'x'.repeat(300_000)}`));
  expect(task).toMatchObject({ status: 'error' });
});

test('several tasks run at once, as many as the runner has slots', async () => {
  const host = await startHost();
  await serve(host, {}, { maxConcurrency: 2 });
  const folder = temporaryFolder();
  const meet = (own: string, other: string): string =>
    `touch ${folder}/${own}; while [ ! -f ${folder}/${other} ]; do sleep 0.05; done`;
  const tasks = [host.task(meet('a', 'b')), host.task(meet('b', 'a'))];
  for (const task of tasks) expect((await host.ended(task)).status).toBe('success');
});

test('the next task is asked for when one has ended, not an interval later', async () => {
  const host = await startHost();
  const [first, second] = [host.task('true'), host.task('true')];
  await serve(host, { pollIntervalMs: 600_000, heartbeatIntervalMs: 600_000 }, RUNS_ALONE);
  await host.ended(first);
  await host.ended(second);
});

test('a runner that is not well says so', async () => {
  const host = await startHost();
  await serve(host, {}, { healthChecks: { disk: () => ({ status: 'unhealthy' as const }) } });
  await host.calls.first(
    ({ path, body }) => path === '/nodes/heartbeat' && Reflect.get(body as object, 'status') === 'error',
  );
});

test('a key that is revoked is replaced by a registration, and the task goes on', async () => {
  const host = await startHost();
  await serve(host);
  const file = join(temporaryFolder(), 'go');
  const task = host.task(`echo on; while [ ! -f ${file} ]; do sleep 0.05; done; echo off`);
  await host.said(task, 'on');
  host.revoke();
  await host.calls.count(({ path, status }) => path === '/register' && status === 200, 2);
  writeFileSync(file, '');
  expect((await host.ended(task)).status).toBe('success');
  expect(host.known).toHaveLength(2);
});

test('a key that is revoked stops a runner that may not register any more', async () => {
  const host = await startHost();
  const runner = await serve(host);
  host.plane.registrationToken = 'another';
  host.revoke();
  await expect.poll(() => runner.state, { timeout: 15_000 }).toBe('refused');
});

test('a registration that is switched off is waited for', async () => {
  const host = await startHost();
  host.behaviour.failing.set('/register', [503, 503]);
  await serve(host);
  expect(host.known).toHaveLength(1);
});

test('a runner that goes ends its tasks, reports them, and says that it is offline', async () => {
  const host = await startHost();
  const runner = await serve(host);
  const seconds = uniqueSeconds();
  const task = host.task(`echo on; sleep ${seconds}`);
  await host.said(task, 'on');
  await runner.stop({ drainMs: 1 });
  expect((await host.ended(task)).messages.at(-1)).toMatch(/RUNNER_SHUTDOWN/);
  expect(host.known.at(-1)?.status).toBe('offline');
  expect(runs(seconds)).toBe(false);
});

test('a task that is cancelled is stopped where an answer says so, with all that it has started', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const task = host.task(`trap '' TERM; echo on; sleep ${seconds} & wait; sleep ${seconds}`);
  await host.said(task, 'on');
  host.cancel(task);
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
  await host.calls.first(({ path }) => path === '/logs');
  // What it is called there is not the runner's to say.
  const said = host.calls.all.map(({ body }) => String(Reflect.get(Object(body) as object, 'status')));
  expect(said).not.toContain('cancelled');
  expect(task.status).toBe('cancelled');
});

test('a time limit is told as one, and ends what ignores SIGTERM', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const task = host.task(`trap '' TERM; sleep ${seconds} & wait; sleep ${seconds}`, { timeoutSeconds: 1 });
  expect((await host.ended(task)).messages.at(-1)).toBe('Task timed out after 1 seconds');
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
});

test('a task that prints much does not wait for a reader, and what it printed arrives', async () => {
  const host = await startHost();
  await serve(host);
  const task = await host.ended(host.task(`head -c 900000 /dev/zero | tr '\\0' x; exit 5`));
  expect(task.messages.at(-1)).toBe('Task failed with exit code 5');
  expect(host.printed(task)).toHaveLength(900_000);
});

test('what a task prints is shown while it runs', async () => {
  const host = await startHost();
  await serve(host);
  const task = host.task('echo first; sleep 60');
  await host.said(task, 'first');
  expect(task.status).toBe('running');
});

test('tasks whose ids begin alike do not meet', async () => {
  const host = await startHost();
  await serve(host, {}, { maxConcurrency: 2 });
  const tasks = ['same-0001', 'same-0002'].map((id) =>
    host.task('cat "$TASK_FILES_DIR"/*', { id, files: { [id]: id } }),
  );
  for (const task of tasks) expect(host.printed(await host.ended(task))).toBe(task.id);
});

test('the same task given again is answered, not run again', async () => {
  const host = await startHost();
  await serve(host);
  const folder = temporaryFolder();
  const task = host.task(`echo once >>${folder}/runs; cat ${folder}/runs`);
  for (const times of [1, 2, 3]) {
    task.status = 'pending';
    await host.ends.count(({ id }) => id === task.id, times);
  }
  expect(host.printed(task)).toBe('once\n');
});

test('a task sees its own files and no folder of the runner, nor a variable of it', async () => {
  vi.stubEnv('REGISTRATION_TOKEN', 'let-me-in');
  onTestFinished(() => void vi.unstubAllEnvs());
  const host = await startHost();
  await serve(host);
  const [known] = host.known;
  const task = await host.ended(host.task('env; ls "$TASK_FILES_DIR"', { files: { 'only.csv': '1' } }));
  const printed = host.printed(task);
  expect(printed).toMatch(/^only\.csv$/m);
  expect(printed).not.toMatch(/let-me-in|VICTORIA_HOME|REGISTRATION/);
  expect(printed).not.toContain(known?.apiKey);
});

test('the key goes to the address that the runner was told, whatever a task names', async () => {
  const [host, other] = [await startHost(), await startHost()];
  await serve(host);
  const task = host.task('cat "$TASK_FILES_DIR/a"', {
    files: { a: 'mine' },
    more: { orchestrator_url: other.url },
  });
  expect(host.printed(await host.ended(task))).toBe('mine');
  expect(other.calls.all).toEqual([]);
});

test('no redirect is followed, with the registration token or with the key', async () => {
  const other = await startHost();
  const asked = createArrivals<string>();
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(307, { location: `${other.url}${request.url}` }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await startRunner({ hosts: [quarterback({ url, ...HASTE })], capabilities: [processContainers()] });
  await asked.count((path) => path === '/register', 2);
  expect(other.calls.all).toEqual([]);
});

test('the log is of this task, also where others run beside it', async () => {
  const host = await startHost();
  await serve(host, {}, { maxConcurrency: 2 });
  const tasks = ['one', 'two'].map((word) => host.task(`echo ${word}; sleep 0.3; echo ${word}`));
  for (const [at, task] of tasks.entries())
    expect(host.printed(await host.ended(task))).toBe(at === 0 ? 'one\none\n' : 'two\ntwo\n');
});

test('a log that a task leaves as session.json is sent with its tokens and costs; another file has no place', async () => {
  const host = await startHost();
  await serve(host);
  const session =
    '{"id":"s1","prompt_tokens":7,"cost":0.5,"messages":[{"role":"assistant","content":"done"}]}';
  const task = await host.ended(host.task(`echo '${session}' >"$OUTPUT/session.json"`));
  expect(task.session).toMatchObject({ id: 's1', prompt_tokens: 7, cost: 0.5 });
  const other = await host.ended(host.task('touch "$OUTPUT/report.pdf"'));
  expect(other.messages.at(-1)).toMatch(/report\.pdf was not left.*session\.json/);
});

test('a slot that another host took meanwhile is waited for', async () => {
  const host = await startHost();
  const second = await startHost();
  const hosts = [host, second].map(({ url }) => quarterback({ url, ...HASTE }));
  const runner = await startRunner({ hosts, capabilities: [processContainers()], ...RUNS_ALONE });
  await runner.ready();
  const [one, other] = [host.task('sleep 0.3; echo a'), second.task('sleep 0.3; echo b')];
  expect((await host.ended(one)).status).toBe('success');
  expect((await second.ended(other)).status).toBe('success');
});

test('a capability that reports how far it is, reports it here in percent', async () => {
  const host = await startHost();
  let goOn = (): void => undefined;
  const told = new Promise<void>((resolve) => (goOn = resolve));
  const capability = defineCapability({
    id: 'count',
    version: '1.0.0',
    description: 'Counts.',
    input: z.object({}),
    output: z.object({}),
    async execute(_input, ctx) {
      await ctx.progress(0.5, 'half');
      await told;
      return {};
    },
  });
  await serve(host, { capability: 'count', payload: () => ({}) }, { capabilities: [capability] });
  const task = host.task('count');
  await host.said(task, 'half');
  expect(task.progress).toBe(50);
  goOn();
  expect((await host.ended(task)).progress).toBe(100);
});
