import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Middleware } from '@controlplane/runner-sdk';
import { swarmlet } from '@controlplane/runner-sdk/swarmlet';
import { SWARMLET_TRUNCATION } from '@controlplane/contracts/swarmlet';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runs, uniqueSeconds } from '../process-table.js';
import { startRunner, temporaryFolder } from '../served-runner.js';
import type { ScriptedSwarmlet } from './scripted-swarmlet.js';
import { serve, startHost } from './served.js';

// What Swarmlet's own runner got wrong and this one mends, one test each.

async function reconnected(host: ScriptedSwarmlet): Promise<void> {
  await host.connections.count(() => true, 2);
}

test('a result that a lost connection took with it is told again over the next', async () => {
  const flag = join(temporaryFolder(), 'go');
  let onOver = (): void => undefined;
  const over = new Promise<void>((resolve) => {
    onOver = resolve;
  });
  const use: Middleware = async (_ctx, next) => {
    try {
      return await next();
    } finally {
      onOver();
    }
  };
  const host = await startHost();
  await serve(host, {}, { use: [use] });
  const job = host.exec(`echo begin; until [ -e ${flag} ]; do sleep 0.05; done; echo end; exit 4`);
  await host.chunk(job);
  // What is sent from here on goes into a connection that nobody reads.
  host.deafen();
  writeFileSync(flag, '');
  await over;
  host.drop();
  await reconnected(host);
  expect(await host.ended(job)).toMatchObject({ exitCode: 4, stdout: 'begin\nend\n' });
});

test('a job goes on while the connection is away, and its end is told when it is back', async () => {
  const host = await startHost();
  await serve(host);
  const job = host.exec('echo begin; sleep 0.5; echo end');
  await host.chunk(job);
  host.drop();
  await reconnected(host);
  expect(await host.ended(job)).toMatchObject({ status: 'success', stdout: 'begin\nend\n' });
});

test('a hello that is refused for the moment does not take the delays back', async () => {
  const host = await startHost();
  host.behaviour.hello = 'database error';
  const asked: number[] = [];
  const clock: Clock = {
    now: Date.now,
    elapsed: () => performance.now(),
    setTimeout(callback, delayMs) {
      asked.push(delayMs);
      return setTimeout(callback, delayMs);
    },
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  };
  const given = { url: host.url, runnerId: 7, secret: 'seven-secret' };
  const hosts = [swarmlet({ ...given, reconnectDelayMs: 10, maxReconnectDelayMs: 640 })];
  await startRunner({ hosts, clock, random: () => 1 });
  await host.frames.count(({ type }) => type === 'hello', 6);
  expect(asked.filter((delayMs) => delayMs <= 640)).toEqual([20, 40, 80, 160, 320]);
});

test('a character that is split between two writes arrives whole', async () => {
  const host = await startHost();
  await serve(host);
  const job = host.exec(String.raw`printf 'h\303'; sleep 0.1; printf '\251llo'`);
  expect(await host.ended(job)).toMatchObject({ stdout: 'héllo' });
});

test('of a burst beyond 50 KB the first 50 KB arrive, then the marker', async () => {
  const host = await startHost();
  await serve(host);
  const job = await host.ended(host.exec(`head -c 200000 /dev/zero | tr '\\0' x; exit 5`));
  expect(job.stdout).toBe('x'.repeat(50 * 1024) + SWARMLET_TRUNCATION);
  expect(job.exitCode).toBe(5);
});

test('what runs into its time limit ends with everything that it has started', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const job = host.exec(`trap '' TERM; sh -c "trap '' TERM; sleep ${seconds}" & wait`, { timeoutSecs: 1 });
  expect(await host.ended(job)).toMatchObject({
    status: 'timeout',
    error: 'Command timed out after 1 seconds',
  });
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
});

test('a cancel ends a command that ignores SIGTERM', async () => {
  const host = await startHost();
  await serve(host);
  const seconds = uniqueSeconds();
  const job = host.exec(`trap '' TERM; echo on; sleep ${seconds}; sleep ${seconds}`);
  await host.chunk(job);
  host.cancel(job);
  expect(await host.ended(job)).toMatchObject({ exitCode: 143 });
  await expect.poll(() => runs(seconds), { timeout: 15_000 }).toBe(false);
});

test('the same job sent twice runs once', async () => {
  const host = await startHost();
  await serve(host);
  const job = host.exec('echo $$; sleep 0.2');
  host.exec('echo $$; sleep 0.2', { id: job.id });
  await host.ended(job);
  expect(job.stdout.trim().split('\n')).toHaveLength(1);
  const again = host.frames.count((frame) => frame.type === 'exec_done', 2);
  const { stdout } = job;
  job.stdout = '';
  job.status = 'running';
  host.exec('echo $$; sleep 0.2', { id: job.id });
  await again;
  expect(job.stdout).toBe(stdout);
});

test('commands beyond the slots of the runner are refused in the words of Swarmlet', async () => {
  const host = await startHost();
  await serve(host, {}, { maxConcurrency: 1 });
  const first = host.exec('echo on; sleep 60');
  await host.chunk(first);
  expect((await host.ended(host.exec('echo too much'))).error).toBe('Runner is busy with another job');
  host.cancel(first);
  await host.ended(first);
});

test('no variable of the runner reaches a command, least of all its secret', async () => {
  vi.stubEnv('RUNNER_SECRET', 'seven-secret');
  vi.stubEnv('SWARMLET_ENROLL_TOKEN', 'a-token');
  onTestFinished(() => void vi.unstubAllEnvs());
  const host = await startHost();
  await serve(host, { secret: undefined });
  const job = await host.ended(host.exec('env; cat /proc/$$/environ'));
  expect(job.stdout).not.toMatch(/seven-secret|a-token|RUNNER_/);
});

test('a runner that is told to go ends what it runs, says so, and leaves no process', async () => {
  const host = await startHost();
  const runner = await serve(host);
  const seconds = uniqueSeconds();
  const job = host.exec(`echo on; sleep ${seconds}`);
  await host.chunk(job);
  await runner.stop({ drainMs: 1 });
  expect((await host.ended(job)).error).toMatch(/RUNNER_SHUTDOWN/);
  expect(runs(seconds)).toBe(false);
});
