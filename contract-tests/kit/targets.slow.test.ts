import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { renderText, runContract, type RunContractOptions } from '@controlplane/contract-test-kit';
import { afterEach, describe, expect, it } from 'vitest';
import { fragileRunner, handWrittenRunner } from './commands.js';
import { isAlive } from './processes.js';

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => {
    probe.listen(0, '127.0.0.1', resolve);
  });
  const { port } = probe.address() as AddressInfo;
  await new Promise((resolve) => {
    probe.close(resolve);
  });
  return port;
}

async function answers(url: string): Promise<void> {
  await expect
    .poll(
      () =>
        fetch(url).then(
          ({ status }) => status,
          () => 0,
        ),
      { timeout: 10_000 },
    )
    .toBe(200);
}

/** Starts the hand-written runner as a user would, outside the kit. */
async function startRunner(env: Record<string, string> = {}): Promise<string> {
  const port = await freePort();
  const child: ChildProcess = spawn('/bin/sh', ['-c', `exec ${handWrittenRunner().command}`], {
    env: { ...process.env, JOBFORGE_URL: 'http://127.0.0.1:1', PORT: String(port), ...env },
    stdio: 'ignore',
  });
  cleanups.push(async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/health`);
  return url;
}

describe('a runner that runs already', () => {
  it(
    'is judged by its URL; what needs its registration or its process is not applicable, and never passed',
    { timeout: 60_000 },
    async () => {
      const report = await runContract({ kind: 'url', url: await startRunner() });
      const byId = new Map(report.results.map((result) => [result.id, result]));
      expect(byId.get('execute.rejects-invalid-input')?.status).toBe('passed');
      expect(byId.get('registration.registers')).toMatchObject({
        status: 'not-applicable',
        reason: expect.stringContaining('--command'),
      });
      expect(byId.get('shutdown.exits')).toMatchObject({
        status: 'not-applicable',
        reason: 'needs --command or --image',
      });
      expect(
        report.results.filter(({ id, status }) => id.startsWith('shutdown.') && status === 'passed'),
      ).toEqual([]);
      // It cannot register, so that it is not ready, and says so.
      expect(byId.get('health.probes')?.status).toBe('warned');
      expect(report.conformant, renderText(report)).toBe(true);
    },
  );

  it(
    'is judged by what it sends too, when it was given the control plane of the kit',
    { timeout: 60_000 },
    async () => {
      const controlPlanePort = await freePort();
      const url = await startRunner({ JOBFORGE_URL: `http://127.0.0.1:${controlPlanePort}` });
      const report = await runContract(
        { kind: 'url', url, controlPlanePort },
        { run: ['registration.*', 'heartbeat.*'] },
      );
      expect(report.results.filter(({ status }) => status === 'passed').map(({ id }) => id)).toEqual(
        expect.arrayContaining([
          'registration.registers',
          'registration.valid-message',
          'heartbeat.beats-at-cadence',
        ]),
      );
    },
  );
});

describe('what the kit starts', () => {
  it(
    'is gone when the run ends: also a runner that ignores SIGTERM, and what it started itself',
    { timeout: 60_000 },
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'contract-test-'));
      cleanups.push(() => rmSync(folder, { recursive: true }));
      const { command } = handWrittenRunner('shutdown.exits');
      const withChild = `sleep 300 & echo $! > child.pid; sh -c 'echo $$ > runner.pid; exec ${command.replaceAll("'", '')}'`;
      await runContract({ kind: 'command', command: withChild, cwd: folder }, { run: ['health.answers'] });
      const pids = ['child.pid', 'runner.pid'].map((file) =>
        Number(readFileSync(join(folder, file), 'utf8')),
      );
      expect(pids.every((pid) => pid > 0)).toBe(true);
      await expect.poll(() => pids.filter(isAlive)).toEqual([]);
    },
  );
});

describe('a runner that a case brings down', () => {
  it('is started again, and the other cases are not failed for it', { timeout: 60_000 }, async () => {
    const report = await runContract(fragileRunner(), {
      run: ['health.answers', 'health.status-code-agrees', 'execute.*', 'registration.*'],
    });
    const of = (id: string) => report.results.find((result) => result.id === id);
    expect(of('execute.rejects-malformed-json')).toMatchObject({
      status: 'failed',
      finding: { actual: expect.stringMatching(/the runner had ended \(code 1\): .*JSON/) },
    });
    for (const id of [
      'health.answers',
      'health.status-code-agrees',
      'execute.answers-valid-input',
      'execute.keeps-ids',
      'execute.tolerates-unknown-fields',
    ]) {
      expect(of(id), renderText(report)).toMatchObject({ status: 'passed' });
    }
  });
});

describe('the kit', () => {
  it('accuses itself, and not the runner, of its own faults', { timeout: 60_000 }, async () => {
    const inputs = { 'conformance.echo': {} };
    Object.defineProperty(inputs['conformance.echo'], 'text', {
      enumerable: true,
      get: () => {
        throw new TypeError('planted in the kit');
      },
    });
    const options: RunContractOptions = { run: ['execute.answers-valid-input', 'health.answers'], inputs };
    const report = await runContract(handWrittenRunner(), options);
    expect(report.summary).toMatchObject({ error: 1, failed: 0 });
    expect(report.results.find(({ status }) => status === 'error')?.reason).toContain('planted in the kit');
    expect(report.conformant).toBe(false);
  });
});
