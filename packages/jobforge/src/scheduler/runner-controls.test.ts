import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openDialIns } from '../testing/dial-in-forge.js';
import { ECHO } from '../testing/stub-runner.js';

const test = openDialIns();
const folders: string[] = [];
afterEach(async () => {
  await test.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const echo = { capability: 'echo', input: { text: 'hi' } };

interface Reply {
  readonly status: number;
  readonly body: Record<string, unknown> & {
    readonly error?: { readonly code: string; readonly message: string };
  };
}

async function ask(method: 'POST' | 'DELETE', url: string, body?: object): Promise<Reply> {
  const sent =
    body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
  const response = await fetch(url, { method, ...sent });
  return { status: response.status, body: (await response.json()) as Reply['body'] };
}

const beatOf = (runnerId: string, more: object = {}): object => ({
  ...{ runnerId, timestamp: new Date().toISOString(), status: 'healthy', instanceId: 'i1' },
  ...more,
});

describe('a runner that is disabled', () => {
  it('gets nothing new, says so to those who wait, and goes on once it is enabled', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const disabled = await ask('POST', `${forge.url}/runners/${runnerId}/disable`, { reason: 'disk swap' });
    expect(disabled).toMatchObject({ status: 200, body: { disabled: { reason: 'disk swap' } } });
    const job = await forge.submit(echo);
    expect((await job.show()).waitingFor).toBe('dialler is disabled (disk swap)');
    const enabled = await ask('POST', `${forge.url}/runners/${runnerId}/enable`);
    expect(enabled.body).not.toHaveProperty('disabled');
    expect(await runner.offer()).toMatchObject({ jobId: job.id });
  });

  it('finishes what it runs, and is still told that it is known', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    await ask('POST', `${forge.url}/runners/${runnerId}/disable`);
    const reply = await ask('POST', `${forge.url}/runners/heartbeat`, beatOf(runnerId));
    // Not receiving would have it connect again and again.
    expect(reply.body).toMatchObject({ known: true, receiving: true, directives: [] });
    runner.succeed(offered);
    expect(await job.result()).toMatchObject({ success: true });
  });

  it('stays disabled when it deregisters and comes back, and when JobForge is restarted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'jobforge-'));
    folders.push(folder);
    const store = `sqlite:${join(folder, 'jobs.db')}`;
    const first = await test.listening({ store });
    const runner = await test.socket(first.url);
    const { runnerId } = await runner.register();
    await ask('POST', `${first.url}/runners/${runnerId}/disable`, { reason: 'broken' });
    runner.send({ type: 'deregister' });
    await runner.closed;
    expect(await first.operations.showRunner(runnerId)).toMatchObject({
      status: 'offline',
      disabled: { reason: 'broken' },
    });
    const again = await test.socket(first.url);
    expect(await again.register({ instanceId: 'i2' })).toMatchObject({ runnerId });
    expect(await first.operations.showRunner(runnerId)).toMatchObject({ disabled: { reason: 'broken' } });
    await first.stop({ drainMs: 0 });
    const second = await test.listening({ store });
    const third = await test.socket(second.url);
    expect(await third.register({ instanceId: 'i3' })).toMatchObject({ runnerId });
    const job = await second.submit(echo);
    expect((await job.show()).waitingFor).toContain('is disabled (broken)');
    await second.operations.enableRunner(runnerId);
    expect(await third.offer()).toMatchObject({ jobId: job.id });
  });
});

describe('a runner that is to drain', () => {
  it('is told over its socket at once, and gets nothing new', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const drained = await ask('POST', `${forge.url}/runners/${runnerId}/drain`, { reason: 'upgrade' });
    expect(drained).toMatchObject({ status: 202, body: { draining: true } });
    expect((await runner.next('directives')).directives).toEqual([{ kind: 'drain' }]);
    const job = await forge.submit(echo);
    expect((await job.show()).waitingFor).toBe('dialler is draining (upgrade)');
  });

  it('is said to be safe to terminate once what it runs must have ended', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const drain = async (): Promise<Reply['body']> =>
      (await ask('POST', `${forge.url}/runners/${runnerId}/drain`)).body;
    const job = await forge.submit({ ...echo, timeoutMs: 60_000 });
    const offered = await runner.offer();
    expect(await forge.operations.showRunner(runnerId)).not.toHaveProperty('safeToTerminateAt');
    expect(await drain()).not.toHaveProperty('safeToTerminateAt');
    const before = Date.now();
    await runner.accept(offered);
    const running = await drain();
    expect(running).toMatchObject({ draining: true, activeExecutions: 1 });
    const safeAt = Date.parse(String(running['safeToTerminateAt']));
    expect(safeAt).toBeGreaterThan(before + 60_000);
    expect(safeAt).toBeLessThan(before + 90_000);
    runner.succeed(offered);
    await job.result();
    const idle = await drain();
    expect(idle).toMatchObject({ activeExecutions: 0 });
    expect(Date.parse(String(idle['safeToTerminateAt']))).toBeLessThanOrEqual(Date.now());
  });

  it('is told with its beats until it drains', async () => {
    const forge = await test.listening();
    const runner = await test.runner({ form: 'batch', handle: ({ succeed }) => succeed() });
    const { runnerId } = await forge.operations.registerRunner(runner.registration());
    await forge.operations.drainRunner(runnerId, {});
    const beat = (more: object): Promise<Reply> =>
      ask('POST', `${forge.url}/runners/heartbeat`, beatOf(runnerId, more));
    expect((await beat({})).body).toMatchObject({ receiving: false, directives: [{ kind: 'drain' }] });
    expect((await beat({ draining: true })).body).toMatchObject({ directives: [] });
  });

  it('is used again as another process, not as the same that registers anew', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    await forge.operations.drainRunner(runnerId, {});
    const back = await test.socket(forge.url);
    await back.register();
    expect(await forge.operations.showRunner(runnerId)).toMatchObject({ draining: true });
    back.cut();
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('offline');
    const next = await test.socket(forge.url);
    await next.register({ instanceId: 'i2' });
    const job = await forge.submit(echo);
    expect(await next.offer()).toMatchObject({ jobId: job.id });
  });
});

describe('deleting a runner', () => {
  it('is refused while it is connected, and done once it has gone', async () => {
    const forge = await test.listening();
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register();
    const url = `${forge.url}/runners/${runnerId}`;
    expect(await ask('DELETE', url)).toMatchObject({
      status: 409,
      body: { error: { code: 'RUNNER_IN_USE' } },
    });
    runner.cut();
    await expect.poll(async () => (await forge.operations.showRunner(runnerId)).status).toBe('offline');
    expect(await ask('DELETE', url)).toEqual({ status: 200, body: { runnerId, deleted: true } });
    expect(await ask('DELETE', url)).toMatchObject({
      status: 404,
      body: { error: { code: 'RUNNER_NOT_FOUND' } },
    });
  });

  it('by force stops what it runs and gives the job to another', async () => {
    const forge = await test.listening();
    const capabilities = [{ ...ECHO, effects: 'none' }];
    const runner = await test.socket(forge.url);
    const { runnerId } = await runner.register({ capabilities });
    const job = await forge.submit(echo);
    const offered = await runner.offer();
    await runner.accept(offered);
    const url = `${forge.url}/runners/${runnerId}`;
    expect((await ask('DELETE', url)).body.error?.message).toBe('The runner "dialler" runs 1 execution.');
    expect(await ask('DELETE', `${url}?force=true`)).toMatchObject({ status: 200 });
    expect((await runner.next('directives')).directives).toMatchObject([
      { kind: 'cancel', executionId: offered.executionId, reason: 'lease-lost' },
    ]);
    expect(await runner.closed).toBe(1000);
    const other = await test.socket(forge.url);
    await other.register({ name: 'other', machineId: 'm2', capabilities });
    const second = await other.offer();
    expect(second).toMatchObject({ jobId: job.id, attempt: 2 });
    await other.accept(second);
    other.succeed(second);
    expect(await job.result()).toMatchObject({ success: true });
  });
});
