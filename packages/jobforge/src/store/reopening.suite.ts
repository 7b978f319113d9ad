import { expect, it } from 'vitest';
import { ending, inserted } from './sample-operations.fixture.js';
import type { Store } from './store.js';

const failed = { status: 'failed', data: undefined, error: '{"code":"X"}' } as const;

/** How every store takes back the end of a job: a part of the store suite. */
export function reopeningSuite(opened: () => Promise<Store>): void {
  it('queues a job again that failed, its end kept as that of an attempt', async () => {
    const store = await opened();
    const [seq = 0] = await inserted(store, ['a']);
    await store.commit([
      { kind: 'cancel-job', seq, reason: 'user' },
      { kind: 'lease-job', seq, lease: 'L1' },
      ending(seq, { ...failed, attempt: 3, eventSeq: 7 }),
    ]);
    expect(await store.commit([{ kind: 'reopen-job', seq, at: 5_000 }])).toEqual(['done']);
    expect(await store.loadJob('a')).toMatchObject({
      ...{ state: 'queued', lease: undefined, cancel: undefined, end: undefined },
      ...{ attempt: 3, retries: 0, nextAt: 5_000, error: '{"code":"X"}' },
    });
    expect(await store.unfinishedJobs({ after: 0, limit: 10 })).toMatchObject([{ id: 'a' }]);
    expect(
      (await store.listJobs({ before: undefined, limit: 10, type: undefined, ended: 'failed' })).jobs,
    ).toEqual([]);
    expect((await store.loadHistory(seq)).attempts).toEqual([
      {
        ...{ attempt: 3, eventSeq: 7, startedAt: 1_500, endedAt: 2_000, nextAt: 5_000 },
        ...{ runnerId: 'r1', executionId: 'x1', error: '{"code":"X"}' },
      },
    ]);
    await store.commit([ending(seq, { attempt: 4 })]);
    expect((await store.loadJob('a'))?.end).toMatchObject({ status: 'completed', attempt: 4 });
  });

  it('reopens nothing that has completed, goes on or is not there', async () => {
    const store = await opened();
    const [done = 0, open = 0] = await inserted(store, ['a', 'b']);
    await store.commit([ending(done)]);
    expect(
      await store.commit([done, open, 999].map((seq) => ({ kind: 'reopen-job', seq, at: 1 }) as const)),
    ).toEqual(['superseded', 'superseded', 'superseded']);
    expect((await store.loadJob('a'))?.end?.status).toBe('completed');
  });

  it('keeps who ran an attempt that had been told when the job ended between two', async () => {
    const store = await opened();
    const [seq = 0] = await inserted(store, ['a']);
    const retry = { kind: 'retry-job', seq, attempt: 1, retries: 1, eventSeq: 3, error: '{}' } as const;
    await store.commit([
      { ...retry, startedAt: 1, endedAt: 2, nextAt: 9, runnerId: 'r1', executionId: 'x1' },
      ending(seq, {
        ...failed,
        status: 'cancelled',
        attempt: 1,
        eventSeq: 4,
        startedAt: undefined,
        runnerId: undefined,
      }),
      { kind: 'reopen-job', seq, at: 5_000 },
    ]);
    expect((await store.loadHistory(seq)).attempts).toMatchObject([
      { attempt: 1, eventSeq: 4, startedAt: 1, runnerId: 'r1', error: '{"code":"X"}' },
    ]);
  });
}
