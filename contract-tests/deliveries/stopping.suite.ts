import { expect, it } from 'vitest';
import type { Stage } from './stage.js';

function cancelling(stage: () => Stage): void {
  it('tells the handler that its job is cancelled, without its asking', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.wait');
    await acts.beginning(job.id);
    await job.cancel();
    expect(await job.result()).toMatchObject({ success: false, error: { code: 'EXECUTION_CANCELLED' } });
    expect(acts.stopped.get(job.id)?.kind).toBe('user');
    expect((await job.show()).status).toBe('cancelled');
  });

  it('does not count what a handler returns after it was told to stop', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.swallows');
    await acts.beginning(job.id);
    await job.cancel();
    expect(await job.result()).toMatchObject({ success: false });
    expect((await job.show()).status).toBe('cancelled');
  });

  it('gives up a handler that ignores its signal, and frees its slot', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.ignores');
    await acts.beginning(job.id);
    await job.cancel();
    expect((await job.result()).error?.code).toBe('EXECUTION_CANCELLED');
    expect(acts.stopped.get(job.id)?.kind).toBe('user');
    expect((await (await submit('stage.sync')).result()).success).toBe(true);
    acts.release(job.id);
  });

  it('takes a second cancellation as the first', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.wait');
    await acts.beginning(job.id);
    await Promise.allSettled([job.cancel(), job.cancel()]);
    expect((await job.result()).error?.code).toBe('EXECUTION_CANCELLED');
  });

  it('never starts a job that was cancelled while it waited', async () => {
    const { submit, acts } = stage();
    const first = await submit('stage.single');
    await acts.beginning(first.id);
    const second = await submit('stage.single');
    await second.cancel();
    acts.release(first.id);
    expect((await first.result()).success).toBe(true);
    expect((await second.show()).status).toBe('cancelled');
    expect(acts.began).not.toContain(second.id);
  });

  it('refuses to cancel what has ended', async () => {
    const job = await stage().submit('stage.sync');
    await job.result();
    await expect(job.cancel()).rejects.toMatchObject({ envelope: { code: 'JOB_FINISHED' } });
  });
}

/** How executions are stopped. */
export function stopping(stage: () => Stage): void {
  cancelling(stage);

  it('stops an execution at its deadline', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.wait', {}, { timeoutMs: 60 });
    const { error } = await job.result();
    expect(error).toMatchObject({ code: 'EXECUTION_TIMEOUT', message: expect.stringContaining('60 ms') });
    expect(acts.stopped.get(job.id)?.kind).toBe('deadline');
  });

  it('stops an execution at its deadline although the handler ignores it', async () => {
    const { submit, acts } = stage();
    const job = await submit('stage.ignores', {}, { timeoutMs: 60 });
    expect((await job.result()).error?.code).toBe('EXECUTION_TIMEOUT');
    acts.release(job.id);
  });

  it('retries what ran out of time', async () => {
    const { submit, acts } = stage();
    const retryPolicy = { maxRetries: 1, baseDelayMs: 1, backoffMs: 1, maxBackoffMs: 5 };
    const job = await submit('stage.wait', {}, { timeoutMs: 50, retryPolicy });
    await acts.beginning(job.id, 2);
    acts.release(job.id);
    expect(await job.result()).toMatchObject({ success: true, metadata: { attempts: 2 } });
  });
}
