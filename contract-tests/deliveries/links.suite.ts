import type { JobHandle } from '@controlplane/jobforge';
import { expect, it } from 'vitest';
import { SOON_LOST, type OpenStage } from './stage.js';

/** A handler may have begun before the control plane has read that it was accepted, and be about to when it has. */
async function underWay({ acts }: Awaited<ReturnType<OpenStage>>, job: JobHandle): Promise<void> {
  await acts.beginning(job.id);
  await expect.poll(async () => (await job.show()).status, { timeout: 5_000 }).toBe('running');
}

/** What becomes of executions when the connection does not hold. */
export function links(fresh: OpenStage): void {
  it('finishes an execution whose connection was cut, with one run', async () => {
    const own = await fresh();
    const { gate } = await own.gatedRunner();
    const job = await own.submit('stage.wait');
    await own.acts.beginning(job.id);
    gate.cut();
    own.acts.release(job.id);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(own.acts.began).toEqual([job.id]);
  });

  it('finishes an execution that writes, although its connection was cut', async () => {
    const own = await fresh();
    const { gate } = await own.gatedRunner();
    const job = await own.submit('stage.writes');
    await own.acts.beginning(job.id);
    gate.cut();
    own.acts.release(job.id);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(own.acts.began).toEqual([job.id]);
  });

  it('delivers a result that came about while the connection was down', async () => {
    const own = await fresh();
    const { gate } = await own.gatedRunner();
    const job = await own.submit('stage.wait');
    await own.acts.beginning(job.id);
    gate.shut();
    own.acts.release(job.id);
    await expect.poll(() => own.acts.running).toBe(0);
    gate.open();
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    expect(own.acts.began).toEqual([job.id]);
  });

  it('takes new work after the connection came back', async () => {
    const own = await fresh();
    const { gate } = await own.gatedRunner({ random: () => 0.1 });
    for (let round = 0; round < 5; round += 1) {
      gate.cut();
      const job = await own.submit('stage.echo', { round });
      expect((await job.result()).data).toEqual({ round });
    }
  });

  it('runs what may be repeated elsewhere when the runner does not come back, and takes no late result', async () => {
    const own = await fresh(SOON_LOST);
    const { gate } = await own.gatedRunner();
    const job = await own.submit(
      'stage.wait',
      {},
      { retryPolicy: { maxRetries: 9, backoffMs: 1, maxBackoffMs: 2 } },
    );
    await underWay(own, job);
    gate.shut();
    const second = await own.runner();
    await own.acts.beginning(job.id, 2);
    gate.open();
    own.acts.release(job.id);
    const ended = await job.result();
    expect(ended).toMatchObject({ success: true, metadata: { runnerId: second.runnerId } });
  });

  it('gives an offer that cannot be delivered to another runner', async () => {
    const own = await fresh(SOON_LOST);
    const { gate } = await own.gatedRunner();
    gate.shut();
    const job = await own.submit('stage.echo', { n: 1 });
    const second = await own.runner();
    expect(await job.result()).toMatchObject({ data: { n: 1 }, metadata: { runnerId: second.runnerId } });
  });

  it('fails what must not be repeated with RUNNER_LOST when the runner does not come back', async () => {
    const own = await fresh(SOON_LOST);
    const { gate } = await own.gatedRunner();
    const job = await own.submit('stage.writes', {}, { retryPolicy: { maxRetries: 3 } });
    await underWay(own, job);
    gate.shut();
    await own.runner();
    expect((await job.result()).error).toMatchObject({ code: 'RUNNER_LOST' });
    expect(own.acts.began).toEqual([job.id]);
  });

  it('keeps the order of what is told across a cut', async () => {
    const own = await fresh();
    const { gate } = await own.gatedRunner();
    const jobs = await Promise.all(Array.from({ length: 10 }, () => own.submit('stage.talk', { lines: 50 })));
    gate.cut();
    for (const job of jobs) {
      expect((await job.result()).success).toBe(true);
      const lines: number[] = [];
      for await (const { type, data } of job.events())
        if (type === 'job.log') lines.push((data as { fields: { line: number } }).fields.line);
      expect(lines).toEqual(Array.from({ length: 50 }, (_, line) => line));
    }
  });
}
