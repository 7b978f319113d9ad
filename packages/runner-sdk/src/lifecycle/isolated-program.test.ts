import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'vitest';
import { startIsolatedProgram } from './isolated-program.suite.js';
import { post, requestOf } from './runner-fixture.suite.js';

test.concurrent.for([
  ['mjs', 'thread'],
  ['mjs', 'process'],
  ['cjs', 'thread'],
  ['cjs', 'process'],
] as const)(
  'program.%s isolates its capability by %s and stays one runner',
  async ([format, isolation], context) => {
    const { expect } = context;
    const { child, controlPlane, url } = await startIsolatedProgram({ format, isolation }, context);
    const spun = await post(`${url}/execute`, { ...requestOf('spin', { spin: true }), timeoutMs: 300 });
    expect(spun).toMatchObject({ status: 504, json: { error: { code: 'EXECUTION_TIMEOUT' } } });
    const quick = await post(`${url}/execute`, { ...requestOf('spin', { spin: false }), jobId: 'quick' });
    expect(quick).toMatchObject({ status: 200, json: { success: true } });
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(controlPlane.recorded.filter(({ path }) => path === '/runners/register')).toHaveLength(1);
  },
);

test.concurrent.for([
  ['process', '--env-file=', [null, null]],
  ['process', '--env-file', [null, null]],
  // A thread shares what the process was given, but for the runner's own.
  ['thread', '--env-file=', [null, 'else']],
] as const)(
  'a handler in a %s sees no credential of a file that the runner is given by %s',
  async ([isolation, flag, seen], context) => {
    const folder = await mkdtemp(join(tmpdir(), 'variables-'));
    context.onTestFinished(() => rm(folder, { recursive: true }));
    const file = join(folder, '.env');
    await writeFile(file, 'RUNNER_TOKEN=secret\nSOMETHING_ELSE=else\n');
    const flags = flag.endsWith('=') ? [flag + file] : [flag, file];
    const { url } = await startIsolatedProgram({ format: 'mjs', isolation, flags }, context);
    const variables = ['RUNNER_TOKEN', 'SOMETHING_ELSE'];
    const { json } = await post(`${url}/execute`, requestOf('spin', { variables }));
    context.expect(json).toMatchObject({ success: true, data: seen });
  },
);

type Program = Awaited<ReturnType<typeof startIsolatedProgram>>;

async function tellTwice(child: ChildProcess, { controlPlane, url }: Omit<Program, 'child'>): Promise<void> {
  while (((await (await fetch(`${url}/readyz`)).json()) as { ok: boolean }).ok === false);
  let beat = controlPlane.next(/heartbeat$/);
  child.kill('SIGTERM');
  while ((await beat).body['draining'] !== true) beat = controlPlane.next(/heartbeat$/);
  child.kill('SIGTERM');
}

test.concurrent.for([
  ['killed', (child: ChildProcess) => void child.kill('SIGKILL')],
  ['told twice to stop', tellTwice],
] as const)('a process in an endless loop ends with a runner that is %s', async ([, end], context) => {
  const server = createServer().listen(0, '127.0.0.1');
  context.onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { child, controlPlane, url } = await startIsolatedProgram(
    { format: 'mjs', isolation: 'process' },
    context,
  );
  const { port } = server.address() as AddressInfo;
  const cutOff = post(`${url}/execute`, requestOf('spin', { spin: true, port })).catch(() => 'cut off');
  const [handler] = (await once(server, 'connection')) as [Socket];
  const left = new Promise((resolve) => handler.on('error', () => undefined).on('close', resolve));
  await end(child, { controlPlane, url });
  await left;
  await cutOff;
});
