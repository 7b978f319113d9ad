import { RunnerStatusReport } from '@controlplane/contracts';
import { expect, test } from 'vitest';
import { createHeld, greet, post, requestOf, startRunner } from './runner-fixture.suite.js';

async function statusOf(url: string): Promise<RunnerStatusReport> {
  return RunnerStatusReport.parse(await (await fetch(`${url}/status`)).json());
}

test('GET /status tells who the runner is, what runs and since when', async () => {
  const held = createHeld();
  const { runner, url } = await startRunner({ capabilities: [held.capability, greet], maxConcurrency: 4 });
  await runner.ready();
  const reply = post(`${url}/execute`, requestOf('held', {}, { executionId: 'execution-1', attempt: 2 }));
  const ctx = await held.started;
  await ctx.progress(0.25, 'a quarter');
  const status = await statusOf(url);
  expect(status).toMatchObject({
    name: 'images',
    version: '1.2.0',
    state: 'registered',
    runnerId: 'runner-1',
    delivery: 'push',
    reasons: [],
    slots: { used: 1, total: 4 },
    unacknowledged: 0,
    executions: [
      {
        executionId: 'execution-1',
        jobId: 'job-1',
        capabilityId: 'held',
        attempt: 2,
        progress: { fraction: 0.25, message: 'a quarter' },
      },
    ],
  });
  expect(Math.abs(Date.now() - Date.parse(status.executions[0]?.startedAt ?? ''))).toBeLessThan(5_000);
  held.done.resolve('done');
  await reply;
  expect(await statusOf(url)).toMatchObject({ slots: { used: 0, total: 4 }, executions: [] });
});

test('GET /status counts executions by how they ended, and refusals not at all', async () => {
  const { url } = await startRunner();
  const send = (executionId: string, capabilityId: string, payload: object) =>
    post(`${url}/execute`, requestOf(capabilityId, payload, { executionId }));
  await send('e1', 'hello.greet', { name: 'Ada' });
  await send('e1', 'hello.greet', { name: 'Ada' });
  await send('e2', 'hello.greet', { name: 42 });
  await send('e3', 'nothing', {});
  expect((await statusOf(url)).ended).toEqual({ succeeded: 1, failed: 1, cancelled: 0 });
});

test('GET /status of a runner that drains says when it may be terminated', async () => {
  const held = createHeld();
  const { runner, url } = await startRunner({ capabilities: [held.capability] });
  await runner.ready();
  expect(await statusOf(url)).not.toHaveProperty('safeToTerminateAt');
  const reply = post(`${url}/execute`, requestOf('held'));
  await held.started;
  const before = Date.now();
  const stopped = runner.stop({ drainMs: 20_000 });
  const safeAt = Date.parse((await statusOf(url)).safeToTerminateAt ?? '');
  // With the two seconds in which what is left is told to stop.
  expect(safeAt).toBeGreaterThanOrEqual(before + 21_900);
  expect(safeAt).toBeLessThan(before + 27_000);
  held.done.resolve('done');
  await reply;
  await stopped;
});

test('GET /status says why no work arrives', async () => {
  const { runner, url } = await startRunner({ controlPlaneUrl: 'http://127.0.0.1:1' });
  expect(await statusOf(url)).toMatchObject({
    state: 'registering',
    reasons: [expect.stringContaining('not registered')],
  });
  expect(runner.runnerId).toBeUndefined();
});

test('a heartbeat carries the vital signs of the process', async () => {
  const { controlPlane, runner } = await startRunner();
  controlPlane.answers.heartbeat = () => ({ status: 200, body: { known: true } });
  await runner.ready();
  const beat = controlPlane.next(/heartbeat/);
  void runner.stop({ drainMs: 1 });
  expect((await beat).body['metrics']).toMatchObject({
    memoryBytes: expect.any(Number),
    memoryUsage: expect.any(Number),
  });
});
