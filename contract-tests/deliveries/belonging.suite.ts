import { expect, it } from 'vitest';
import type { OpenStage, Stage } from './stage.js';

/** How a runner becomes known, stays known, and leaves. */
export function belonging(stage: () => Stage, fresh: OpenStage): void {
  it('is listed with what it said of itself', async () => {
    const own = await fresh();
    const runner = await own.runner({ labels: { region: 'eu' }, tags: ['blue'], buildId: 'b7' });
    const [listed] = await own.forge.operations.listRunners();
    expect(listed).toMatchObject({
      id: runner.runnerId,
      name: runner.name,
      status: 'healthy',
      delivery: { kind: own.delivery },
      labels: { region: 'eu' },
      tags: ['blue'],
      buildId: 'b7',
      maxConcurrency: 10,
      platform: { os: process.platform, arch: process.arch },
    });
    expect(listed?.capabilities.map(({ id }) => id)).toContain('stage.echo');
  });

  it('keeps beating', async () => {
    const own = await fresh();
    const { runnerId = '' } = await own.runner();
    const first = (await own.forge.operations.showRunner(runnerId)).lastHeartbeatAt;
    await expect
      .poll(async () => (await own.forge.operations.showRunner(runnerId)).lastHeartbeatAt, { timeout: 5_000 })
      .not.toBe(first);
  });

  it('says registered when it is', async () => {
    const own = await fresh();
    const runner = await own.runner();
    expect(runner.state).toBe('registered');
    expect(runner.runnerId).toEqual(expect.any(String));
  });

  it('lets a job wait until a runner that offers it is there', async () => {
    const own = await fresh();
    const job = await own.submit('stage.echo', { early: true });
    expect((await job.show()).status).toBe('queued');
    await own.runner();
    expect((await job.result()).data).toEqual({ early: true });
  });

  it('is gone after it has stopped, and nothing is sent to it', async () => {
    const own = await fresh();
    const runner = await own.runner();
    await runner.stop();
    expect(runner.state).toBe('stopped');
    await expect.poll(() => own.forge.operations.listRunners(), { timeout: 5_000 }).toEqual([]);
    const job = await own.submit('stage.sync');
    await own.runner();
    expect((await job.result()).success).toBe(true);
  });

  it('stops at once when it has nothing to do', async () => {
    const own = await fresh();
    const runner = await own.runner();
    const began = performance.now();
    await runner.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
  });

  it('stops once, however often it is asked', async () => {
    const own = await fresh();
    const runner = await own.runner();
    await Promise.all([runner.stop(), runner.stop()]);
    await runner.stop();
    expect(runner.state).toBe('stopped');
  });

  it('is one runner of several', async () => {
    const own = await fresh();
    const names = [(await own.runner()).name, (await own.runner()).name, (await own.runner()).name];
    const listed = await own.forge.operations.listRunners();
    expect(listed.map(({ name }) => name).toSorted()).toEqual(names.toSorted());
  });

  it('counts what it runs', async () => {
    const { submit, acts, forge } = stage();
    const job = await submit('stage.wait');
    await acts.beginning(job.id);
    const active = async (): Promise<number> =>
      (await forge.operations.listRunners()).reduce(
        (sum, { activeExecutions = 0 }) => sum + activeExecutions,
        0,
      );
    await expect.poll(active).toBeGreaterThanOrEqual(1);
    acts.release(job.id);
    await job.result();
  });
}
