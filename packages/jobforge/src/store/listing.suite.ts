import { expect, it } from 'vitest';
import { ending, inserted, insertion } from './sample-operations.fixture.js';
import type { Store } from './store.js';

/** How every store lists jobs and forgets them: a part of the store suite. */
export function listingSuite(opened: () => Promise<Store>): void {
  it('lists jobs newest first, page by page', async () => {
    const store = await opened();
    await inserted(store, ['a', 'b', 'c', 'd', 'e']);
    const query = { limit: 2, type: undefined, ended: undefined };
    const first = await store.listJobs({ ...query, before: undefined });
    expect(first.jobs.map(({ id }) => id)).toEqual(['e', 'd']);
    const second = await store.listJobs({ ...query, before: first.next });
    expect(second.jobs.map(({ id }) => id)).toEqual(['c', 'b']);
    const third = await store.listJobs({ ...query, before: second.next });
    expect(third.jobs.map(({ id }) => id)).toEqual(['a']);
    expect(third.next).toBeUndefined();
  });

  it.each(['completed', 'failed', 'cancelled'] as const)('lists jobs that ended %s', async (status) => {
    const store = await opened();
    const [a = 0, b = 0, c = 0, d = 0] = await inserted(store, ['a', 'b', 'c', 'd', 'e']);
    const rest = status === 'completed' ? 'failed' : 'completed';
    await store.commit([
      ending(a, { status }),
      ending(b, { status: rest }),
      ending(c, { status }),
      ending(d, { status }),
    ]);
    const first = await store.listJobs({ before: undefined, limit: 2, type: undefined, ended: status });
    expect(first.jobs.map(({ id }) => id)).toEqual(['d', 'c']);
    const second = await store.listJobs({ before: first.next, limit: 2, type: undefined, ended: status });
    expect(second.jobs.map(({ id }) => id)).toEqual(['a']);
  });

  it('lists jobs of one type, however rare', async () => {
    const store = await opened();
    await store.commit([
      insertion('rare', { type: 'kind.b' }),
      ...Array.from({ length: 300 }, (_, index) => insertion(`a${index}`)),
    ]);
    const page = await store.listJobs({ before: undefined, limit: 10, type: 'kind.b', ended: undefined });
    expect(page.jobs.map(({ id }) => id)).toEqual(['rare']);
  });

  it('hands back what has not ended, in order, in pages', async () => {
    const store = await opened();
    const [a = 0, b = 0, c = 0] = await inserted(store, ['a', 'b', 'c']);
    await store.commit([ending(b), { kind: 'cancel-job', seq: c, reason: 'user' }]);
    expect(await store.unfinishedJobs({ after: 0, limit: 1 })).toMatchObject([{ id: 'a' }]);
    expect(await store.unfinishedJobs({ after: a, limit: 5 })).toMatchObject([{ id: 'c', cancel: 'user' }]);
  });

  it('forgets ended jobs by age and by number, the oldest first, and never one that has not ended', async () => {
    const store = await opened();
    const seqs = await inserted(store, ['live', 'a', 'b', 'c', 'd', 'e']);
    await store.commit(seqs.slice(1).map((seq, index) => ending(seq, { endedAt: 1_000 * (index + 1) })));
    await store.commit([
      { kind: 'add-event', seq: seqs[1] ?? 0, attempt: 1, eventSeq: 1, at: 1, type: 'log', data: '1' },
    ]);
    const left = async (): Promise<string[]> =>
      (await store.listJobs({ before: undefined, limit: 10, type: undefined, ended: undefined })).jobs.map(
        ({ id }) => id,
      );
    expect(await store.prune({ endedBefore: 2_500, keepJobs: 10, limit: 1 })).toBe(1);
    expect(await left()).toEqual(['e', 'd', 'c', 'b', 'live']);
    expect((await store.loadHistory(seqs[1] ?? 0)).events).toEqual([]);
    expect(await store.prune({ endedBefore: 2_500, keepJobs: 10, limit: 10 })).toBe(1);
    expect(await store.prune({ endedBefore: 0, keepJobs: 2, limit: 10 })).toBe(1);
    expect(await store.prune({ endedBefore: 0, keepJobs: 2, limit: 10 })).toBe(0);
    expect(await left()).toEqual(['e', 'd', 'live']);
    expect(await store.loadJob('a')).toBeUndefined();
    const [again] = await store.commit([insertion('a')]);
    expect(again).toMatchObject({ seq: expect.any(Number) });
  });
}
