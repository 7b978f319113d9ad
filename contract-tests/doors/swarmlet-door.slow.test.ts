import { shell } from '@controlplane/capabilities/shell';
import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { swarmlet, type SwarmletOptions } from '@controlplane/runner-sdk/swarmlet';
import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openGate } from '../deliveries/gate.js';
import { runs, uniqueSeconds } from '../hosts/process-table.js';
import { startRunner, temporaryFolder } from '../hosts/served-runner.js';
import { commandJob, openForge, printedBy, type Opened } from './opened.js';

// A Swarmlet runner that dials JobForge instead of its Swarmlet: nothing of it is changed but where it dials and what
// it proves itself with.

async function serve(
  { url }: Opened,
  more: SwarmletOptions,
  options: Partial<RunnerOptions> = {},
): Promise<Runner> {
  const hosts = [swarmlet({ url: url.replace('http', 'ws'), reconnectDelayMs: 20, ...more })];
  const runner = await startRunner({ hosts, stateDirectory: temporaryFolder(), ...options });
  await runner.ready();
  return runner;
}

describe('a runner that enrolls with a token of JobForge', () => {
  test('runs jobs, streams what they print, and tells how each ended', async () => {
    const opened = await openForge(['swarmlet']);
    const { forge } = opened;
    await serve(opened, { enrollToken: await opened.token() }, { labels: { site: 'cellar' } });
    const [runner] = await forge.operations.listRunners();
    expect(runner).toMatchObject({
      ...{ name: 'builder', labels: { site: 'cellar' }, tags: ['swarmlet'], maxConcurrency: 1 },
      platform: { os: process.platform, arch: process.arch },
    });

    const good = await forge.submit(commandJob('echo hello; echo oh >&2'));
    expect(await printedBy(forge, good.id)).toEqual({ stdout: 'hello\n', stderr: 'oh\n' });
    expect(await good.result()).toMatchObject({
      success: true,
      data: { exitCode: 0, stdout: 'hello\n', stderr: 'oh\n', stdoutBytes: 6, droppedBytes: 0 },
    });
    const bad = await forge.submit(commandJob('echo no >&2; exit 3'));
    expect(await bad.result()).toMatchObject({
      success: false,
      error: {
        ...{ code: 'COMMAND_FAILED', retryable: false },
        details: [{ code: 'COMMAND_END', value: { exitCode: 3, stderr: 'no\n' } }],
      },
    });
    const odd = await forge.submit({ ...commandJob(''), input: { command: 'exit 4', exitCodes: [0, 4] } });
    expect(await odd.result()).toMatchObject({ success: true, data: { exitCode: 4 } });
    const slow = await forge.submit(commandJob('sleep 60', { timeoutMs: 1_000 }));
    expect(await slow.result()).toMatchObject({
      success: false,
      error: { code: 'EXECUTION_TIMEOUT', message: expect.stringContaining('timed out after 1 seconds') },
    });
    await expect(forge.operations.verifyChains()).resolves.toBeDefined();
  });

  test('a program with its arguments, its folder, its variables and its input becomes a line', async () => {
    const opened = await openForge(['swarmlet']);
    await serve(opened, { enrollToken: await opened.token() });
    const cwd = temporaryFolder();
    const input = {
      argv: ['sh', '-c', 'pwd; echo "$ODD"; cat; printf %s "$1"', 'sh', "it's\n$HOME"],
      ...{ cwd, env: { ODD: 'a "b" $c' }, stdin: 'from\nhere\n' },
    };
    const job = await opened.forge.submit({ capability: 'shell.full', input });
    expect(await job.result()).toMatchObject({
      data: { stdout: `${cwd}\na "b" $c\nfrom\nhere\nit's\n$HOME`, exitCode: 0 },
    });
    const lost = await opened.forge.submit({
      capability: 'shell.full',
      input: { ...input, cwd: '/nowhere' },
    });
    expect(await lost.result()).toMatchObject({ success: false, error: { code: 'COMMAND_FAILED' } });
  });

  test('a cancel ends the command, and the job counts as cancelled', async () => {
    const opened = await openForge(['swarmlet']);
    await serve(opened, { enrollToken: await opened.token() });
    const seconds = uniqueSeconds();
    const job = await opened.forge.submit(commandJob(`echo on; exec sleep ${seconds}`));
    await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(true);
    await job.cancel();
    expect((await job.result()).success).toBe(false);
    expect(await job.show()).toMatchObject({ status: 'cancelled' });
    await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(false);
  });

  test('keeps its identity over a restart', async () => {
    const opened = await openForge(['swarmlet']);
    const stateDirectory = temporaryFolder();
    const first = await serve(opened, { enrollToken: await opened.token() }, { stateDirectory });
    const { runnerId } = first;
    await first.stop();
    const second = await serve(opened, {}, { stateDirectory });
    expect(second.runnerId).toBe(runnerId);
    const job = await opened.forge.submit(commandJob('echo back'));
    expect(await job.result()).toMatchObject({ data: { stdout: 'back\n' } });
    expect(await opened.forge.operations.listRunners()).toHaveLength(1);
  });

  test('of the profile readonly it is given programs that look, and nothing else', async () => {
    const opened = await openForge(['swarmlet']);
    const capabilities = [shell({ profile: 'readonly', allow: ['/tmp'] })];
    await serve(opened, { enrollToken: await opened.token() }, { capabilities });
    const looks = await opened.forge.submit({
      capability: 'shell.readonly',
      input: { argv: ['uname', '-s'] },
    });
    expect(await looks.result()).toMatchObject({ data: { stdout: 'Linux\n' } });
    const removes = await opened.forge.submit({
      ...{ capability: 'shell.readonly', input: { argv: ['rm', '/tmp/x'] } },
      retryPolicy: { maxRetries: 0 },
    });
    expect(await removes.result()).toMatchObject({
      error: { code: 'COMMAND_NOT_ALLOWED', retryable: false },
    });
    const writes = await opened.forge.submit(commandJob('echo nobody'));
    expect(await opened.forge.operations.whyJob(writes.id)).toMatchObject({
      status: 'queued',
      runners: [{ name: 'builder', fails: 'capability', reason: 'does not offer shell.full' }],
    });
  });
});

describe('a connection that breaks', () => {
  test('a command goes on meanwhile, and its job ends with what it printed before and after', async () => {
    const opened = await openForge(['swarmlet']);
    const gate = await openGate(Number(new URL(opened.url).port));
    onTestFinished(() => gate.close());
    await serve({ ...opened, url: gate.url }, { enrollToken: await opened.token() });
    const file = `${temporaryFolder()}/gate`;
    const job = await opened.forge.submit(
      commandJob(`echo one; until [ -e ${file} ]; do sleep 0.05; done; echo two`),
    );
    for await (const { type } of job.events()) if (type === 'job.log') break;
    gate.shut();
    writeFileSync(file, '');
    gate.open();
    expect(await job.result()).toMatchObject({
      success: true,
      // What was read and not yet confirmed when the connection broke is said twice: the protocol has no numbers.
      data: { stdout: expect.stringMatching(/^(one\n){1,2}two\n$/), exitCode: 0 },
      metadata: { attempts: 1 },
    });
  });
});
