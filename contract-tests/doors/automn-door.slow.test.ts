import { join } from 'node:path';
import { findInterpreters, script } from '@controlplane/capabilities/script';
import type { Runner, RunnerOptions } from '@controlplane/runner-sdk';
import { automn, type AutomnOptions } from '@controlplane/runner-sdk/automn';
import { describe, expect, test } from 'vitest';
import { runs, uniqueSeconds } from '../hosts/process-table.js';
import { startRunner, temporaryFolder } from '../hosts/served-runner.js';
import { openForge, printedBy, type Opened } from './opened.js';

// An Automn runner that registers with JobForge instead of its Automn: nothing of it is changed but where it registers
// and what it proves itself with.

const interpreters = await findInterpreters();

async function serve(
  { url }: Opened,
  secret: string,
  { at = {}, ...options }: Partial<RunnerOptions> & { readonly at?: AutomnOptions } = {},
): Promise<Runner> {
  const folder = temporaryFolder();
  const given = { hostUrl: url, runnerId: 'scripts', secret, host: '127.0.0.1', port: 0 };
  const stateFile = join(folder, 'state', 'runner-state.json');
  const own = { interpreters, termGraceMs: 300, packages: false } as const;
  const folders = { workDirectory: join(folder, 'work'), stateDirectory: join(folder, 'ledger') };
  const runner = await startRunner({
    name: 'scripts',
    labels: interpreters.labels,
    capabilities: [script({ ...own, ...folders })],
    hosts: [automn({ publicUrl: undefined, ...given, stateFile, ...at })],
    ...options,
  });
  await runner.ready();
  return runner;
}

const job = (language: string, code: string, more: object = {}) => ({
  capability: 'script.run',
  input: { language, code, ...more },
  retryPolicy: { maxRetries: 0 },
});

describe('a runner that registers with a token of JobForge', () => {
  test('runs scripts, streams what they print, and tells what they returned', async () => {
    const opened = await openForge(['automn']);
    const { forge } = opened;
    await serve(opened, await opened.token());
    const [runner] = await forge.operations.listRunners();
    expect(runner).toMatchObject({ name: 'scripts', status: 'healthy', tags: ['automn'] });

    const ours = await forge.submit(
      job('node', "console.log('hi'); job.log.warn('careful'); job.return(job.input.a + 1);", {
        input: { a: 2 },
      }),
    );
    expect((await printedBy(forge, ours.id)).stdout).toContain('hi\n');
    expect(await ours.result()).toMatchObject({
      success: true,
      data: { exitCode: 0, stdout: 'hi', data: 3, input: { a: 2 }, logs: [{ message: 'careful' }] },
    });
    const theirs = await forge.submit(
      job('bash', 'AutomnLog done success; AutomnReturn "{\\"b\\":\\"$B\\"}"', { variables: { B: 'two' } }),
    );
    expect(await theirs.result()).toMatchObject({ data: { data: { b: 'two' }, logs: [{ level: 'info' }] } });
    const bad = await forge.submit(job('bash', 'echo no >&2; exit 3'));
    expect(await bad.result()).toMatchObject({
      error: { code: 'COMMAND_FAILED', details: [{ value: { exitCode: 3, stderr: 'no\n' } }] },
    });
    const slow = await forge.submit({ ...job('bash', 'exec sleep 60'), timeoutMs: 1_000 });
    expect(await slow.result()).toMatchObject({ error: { code: 'EXECUTION_TIMEOUT' } });
  });

  test('a cancel ends a script of a runner of ours', async () => {
    const opened = await openForge(['automn']);
    await serve(opened, await opened.token());
    const seconds = uniqueSeconds();
    const one = await opened.forge.submit(job('bash', `echo on; exec sleep ${seconds}`));
    for await (const { type } of one.events()) if (type === 'job.log') break;
    expect(runs(seconds)).toBe(true);
    await one.cancel();
    await one.result();
    expect((await one.show()).status).toBe('cancelled');
    await expect.poll(() => runs(seconds), { timeout: 20_000 }).toBe(false);
  });
});

test('a runner whose secret nobody handed out is not let in', async () => {
  const opened = await openForge(['automn']);
  await expect(serve(opened, 'a-secret-of-nobody')).rejects.toMatchObject({ code: 'REGISTRATION_REFUSED' });
  expect(await opened.forge.operations.listRunners()).toEqual([]);
});
