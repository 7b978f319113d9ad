import { writeFileSync } from 'node:fs';
import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { swamp, type SwampOptions } from '@controlplane/runner-sdk/swamp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openGate } from '../deliveries/gate.js';
import { runs, uniqueSeconds } from '../hosts/process-table.js';
import { startRunner, temporaryFolder } from '../hosts/served-runner.js';
import { commandJob, openForge, printedBy, type Opened } from './opened.js';

// A swamp runner that dials JobForge instead of its swamp: nothing of it is changed but where it dials and its token.

async function serve(
  { url }: Pick<Opened, 'url'>,
  token: string,
  { at = {}, ...options }: Partial<RunnerOptions> & { readonly at?: SwampOptions } = {},
): Promise<Runner> {
  const hosts = [swamp({ url: `${url.replace('http', 'ws')}/`, token, ...at })];
  const runner = await startRunner({ hosts, machineId: 'machine-1', maxConcurrency: 3, ...options });
  await runner.ready();
  return runner;
}

describe('a runner that enrolls with a token of JobForge', () => {
  test('runs jobs, streams what they print, and tells how each ended', async () => {
    const opened = await openForge(['swamp']);
    const { forge } = opened;
    await serve(opened, await opened.token({ name: 'fleet' }), { at: { labels: { region: 'eu' } } });
    const [runner] = await forge.operations.listRunners();
    expect(runner).toMatchObject({
      name: expect.stringMatching(/^fleet-[0-9a-f]{8}$/),
      labels: { region: 'eu', fleet: 'fleet' },
      ...{ tags: ['swamp'], maxConcurrency: 3 },
    });

    const good = await forge.submit(commandJob('echo hello; printf oh >&2'));
    expect(await printedBy(forge, good.id)).toEqual({ stdout: 'hello\n', stderr: 'oh\n' });
    // What it writes is whole, to the last end of line that was none.
    expect(await good.result()).toMatchObject({
      data: { exitCode: 0, stdout: 'hello\n', stderr: 'oh', stdoutBytes: 6, droppedBytes: 0 },
    });
    const bad = await forge.submit(commandJob('echo no >&2; exit 3'));
    expect(await bad.result()).toMatchObject({
      error: { code: 'COMMAND_FAILED', details: [{ value: { exitCode: 3, stderr: 'no\n' } }] },
    });
    const odd = await forge.submit({ ...commandJob(''), input: { command: 'exit 4', exitCodes: [0, 4] } });
    expect(await odd.result()).toMatchObject({ success: true, data: { exitCode: 4 } });
    const slow = await forge.submit(commandJob('sleep 60', { timeoutMs: 1_000 }));
    expect(await slow.result()).toMatchObject({
      error: { code: 'EXECUTION_TIMEOUT', message: expect.stringContaining('timed out after 1000 ms') },
    });
  });

  test('a program with its arguments, its folder, its variables and its input is run as asked', async () => {
    const opened = await openForge(['swamp']);
    await serve(opened, await opened.token());
    const cwd = temporaryFolder();
    const input = {
      argv: ['sh', '-c', 'pwd; echo "$ODD"; cat; printf %s "$1"', 'sh', "it's\n$HOME"],
      ...{ cwd, env: { ODD: 'a "b" $c' }, stdin: 'from\nhere\n' },
    };
    const job = await opened.forge.submit({ capability: 'shell.full', input });
    expect(await job.result()).toMatchObject({
      data: { stdout: `${cwd}\na "b" $c\nfrom\nhere\nit's\n$HOME`, exitCode: 0 },
    });
  });

  test('runs as many at once as it says, and a cancel ends one of them', async () => {
    const opened = await openForge(['swamp']);
    await serve(opened, await opened.token());
    const folder = temporaryFolder();
    const meet = `touch ${folder}/$$; until [ $(ls ${folder} | wc -l) = 3 ]; do sleep 0.05; done`;
    const both = await Promise.all([1, 2].map(() => opened.forge.submit(commandJob(meet))));
    const seconds = uniqueSeconds();
    const third = await opened.forge.submit(commandJob(`touch ${folder}/third; exec sleep ${seconds}`));
    for (const job of both) expect((await job.result()).success).toBe(true);
    await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(true);
    await third.cancel();
    await third.result();
    expect((await third.show()).status).toBe('cancelled');
    await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(false);
  });

  test('a runner that goes says so first, and its job ends before it', async () => {
    const opened = await openForge(['swamp']);
    const runner = await serve(opened, await opened.token());
    const folder = temporaryFolder();
    const job = await opened.forge.submit(
      commandJob(`echo on; until [ -e ${folder}/go ]; do sleep 0.05; done; echo off`),
    );
    for await (const { type } of job.events()) if (type === 'job.log') break;
    const gone = runner.stop({ drainMs: 30_000 });
    const [id] = (await opened.forge.operations.listRunners()).map((one) => one.id);
    await expect
      .poll(async () => (await opened.forge.operations.showRunner(id ?? '')).draining, { timeout: 20_000 })
      .toBe(true);
    writeFileSync(`${folder}/go`, '');
    expect(await job.result()).toMatchObject({ data: { stdout: 'on\noff\n' } });
    await gone;
  });
});

describe('a runner that is not let in', () => {
  test.each([
    ['a secret of nobody', 'fleet.jfe_nobody', 'CREDENTIAL_INVALID'],
    ['no secret at all', 'fleet', 'CREDENTIAL_INVALID'],
  ])('with %s it stops for good', async (_what, token, code) => {
    const opened = await openForge(['swamp']);
    const hosts = [swamp({ url: opened.url.replace('http', 'ws'), token })];
    const runner = await startRunner({ hosts, machineId: 'machine-1' });
    await expect(runner.ready()).rejects.toMatchObject({ refusal: { code } });
  });

  test('with the token of another machine, or one that was revoked, it stops for good', async () => {
    const opened = await openForge(['swamp']);
    const token = await opened.token({ name: 'one', maxMachines: 1 });
    const first = await serve(opened, token);
    const other = await startRunner({
      hosts: [swamp({ url: opened.url.replace('http', 'ws'), token })],
      machineId: 'machine-2',
    });
    await expect(other.ready()).rejects.toMatchObject({ refusal: { code: 'MACHINE_MISMATCH' } });
    await opened.forge.operations.revokeToken('one');
    await expect.poll(() => first.state, { timeout: 30_000 }).toBe('refused');
  });
});

test('what runs over a connection that breaks is lost with it, and is not run twice at once', async () => {
  const opened = await openForge(['swamp']);
  const gate = await openGate(Number(new URL(opened.url).port));
  onTestFinished(() => gate.close());
  await serve(gate, await opened.token());
  const seconds = uniqueSeconds();
  const job = await opened.forge.submit(commandJob(`echo on; exec sleep ${seconds}`));
  for await (const { type } of job.events()) if (type === 'job.log') break;
  gate.cut();
  // It may have written, so it is not tried again.
  expect(await job.result()).toMatchObject({ success: false, error: { code: 'RUNNER_LOST' } });
  await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(false);
  const next = await opened.forge.submit(commandJob('echo next'));
  expect(await next.result()).toMatchObject({ data: { stdout: 'next\n' } });
});
