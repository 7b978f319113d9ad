import { expect, it } from 'vitest';
import type { OpenStage, Stage } from './stage.js';

/** How many executions run, where and in which order. */
export function load(stage: () => Stage, fresh: OpenStage): void {
  it('runs no more at once than the runner has slots, and all in the end', async () => {
    const own = await fresh();
    await own.runner({ maxConcurrency: 4 });
    const jobs = await Promise.all(Array.from({ length: 20 }, () => own.submit('stage.wait')));
    await expect.poll(() => own.acts.running, { timeout: 5_000 }).toBe(4);
    await Promise.all(
      jobs.map(async (job) => {
        await own.acts.beginning(job.id);
        own.acts.release(job.id);
      }),
    );
    const ended = await Promise.all(jobs.map((job) => job.result()));
    expect(ended.every(({ success }) => success)).toBe(true);
    expect(own.acts.peak).toBe(4);
    expect(new Set(own.acts.began).size).toBe(own.acts.began.length);
  });

  it('runs no more of a capability at once than it says', async () => {
    const own = await fresh();
    await own.runner();
    const jobs = await Promise.all([1, 2, 3].map(() => own.submit('stage.single')));
    await Promise.all(
      jobs.map(async (job) => {
        await own.acts.beginning(job.id);
        own.acts.release(job.id);
        return job.result();
      }),
    );
    expect(own.acts.peak).toBe(1);
  });

  it('runs 200 jobs of one burst, each once', { timeout: 60_000 }, async () => {
    const { submit, acts } = stage();
    const jobs = await Promise.all(Array.from({ length: 200 }, (_, n) => submit('stage.echo', { n })));
    const ended = await Promise.all(jobs.map((job) => job.result()));
    expect(ended.map(({ data }) => (data as { n: number }).n)).toEqual(jobs.map((_, n) => n));
    const ids = new Set(jobs.map(({ id }) => id));
    expect(acts.began.filter((id) => ids.has(id))).toHaveLength(200);
  });

  it('starts what has the higher priority first', async () => {
    const own = await fresh();
    await own.runner({ maxConcurrency: 1 });
    const blocking = await own.submit('stage.wait');
    await own.acts.beginning(blocking.id);
    const low = await own.submit('stage.echo', {}, { priority: 10 });
    const high = await own.submit('stage.echo', {}, { priority: 90 });
    own.acts.release(blocking.id);
    await Promise.all([low.result(), high.result()]);
    expect(own.acts.began).toEqual([blocking.id, high.id, low.id]);
  });

  it('shares work between two runners', async () => {
    const own = await fresh();
    const runners = [await own.runner({ maxConcurrency: 2 }), await own.runner({ maxConcurrency: 2 })];
    const jobs = await Promise.all([1, 2, 3, 4].map(() => own.submit('stage.wait')));
    await Promise.all(jobs.map((job) => own.acts.beginning(job.id)));
    const placed = async (): Promise<number[]> => {
      const shown = await Promise.all(jobs.map((job) => job.show()));
      return runners.map(({ runnerId }) => shown.filter((job) => job.runnerId === runnerId).length);
    };
    await expect.poll(placed).toEqual([2, 2]);
    for (const job of jobs) own.acts.release(job.id);
    await Promise.all(jobs.map((job) => job.result()));
  });

  it('goes on after failures', async () => {
    const { submit } = stage();
    const failing = await Promise.all(
      Array.from({ length: 30 }, () => submit('stage.fail', { how: 'permanent' })),
    );
    await Promise.all(failing.map((job) => job.result()));
    expect((await (await submit('stage.sync')).result()).success).toBe(true);
  });
}
