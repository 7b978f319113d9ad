import { expect, it } from 'vitest';
import type { OpenStage } from './stage.js';

/** What becomes of executions when their runner goes in order. */
export function leaving(fresh: OpenStage): void {
  it('lets running executions finish', async () => {
    const own = await fresh();
    const runner = await own.runner();
    const job = await own.submit('stage.wait');
    await own.acts.beginning(job.id);
    const stopped = runner.stop({ drainMs: 10_000 });
    own.acts.release(job.id);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 1 } });
    await stopped;
  });

  it('hands back what does not finish in time, and another runner finishes it', async () => {
    const own = await fresh();
    const first = await own.runner();
    const job = await own.submit('stage.wait');
    await own.acts.beginning(job.id);
    const second = await own.runner();
    await first.stop({ drainMs: 50 });
    expect(own.acts.stopped.get(job.id)?.kind).toBe('shutdown');
    await own.acts.beginning(job.id, 2);
    own.acts.release(job.id);
    expect((await job.result()).metadata.runnerId).toBe(second.runnerId);
  });

  it('takes nothing new while it drains', async () => {
    const own = await fresh();
    const first = await own.runner();
    const held = await own.submit('stage.wait');
    await own.acts.beginning(held.id);
    const stopped = first.stop({ drainMs: 10_000 });
    const second = await own.runner();
    const later = await own.submit('stage.sync');
    expect((await later.result()).metadata.runnerId).toBe(second.runnerId);
    own.acts.release(held.id);
    expect((await held.result()).metadata.runnerId).toBe(first.runnerId);
    await stopped;
  });

  it('loses and doubles none of 100 running executions', async () => {
    const own = await fresh();
    const first = await own.runner({ maxConcurrency: 100 });
    const jobs = await Promise.all(Array.from({ length: 100 }, () => own.submit('stage.wait')));
    await Promise.all(jobs.map((job) => own.acts.beginning(job.id)));
    const second = await own.runner({ maxConcurrency: 100 });
    // Half of them finish within the drain, half are handed back.
    for (const job of jobs.slice(0, 50)) own.acts.release(job.id);
    await first.stop({ drainMs: 200 });
    for (const job of jobs.slice(50)) own.acts.release(job.id);
    const ended = await Promise.all(jobs.map((job) => job.result()));
    expect(ended.filter(({ success }) => success)).toHaveLength(100);
    const byRunner = ended.map(({ metadata }) => metadata.runnerId);
    expect(byRunner.filter((id) => id === first.runnerId)).toHaveLength(50);
    expect(byRunner.filter((id) => id === second.runnerId)).toHaveLength(50);
    expect(own.acts.began).toHaveLength(150);
  });

  it('keeps what the control plane has when that stops first', async () => {
    const own = await fresh();
    await own.runner();
    const job = await own.submit('stage.echo', { n: 1 });
    expect((await job.result()).success).toBe(true);
    await own.forge.stop({ drainMs: 100 });
  });
}
