import { expect, it } from 'vitest';
import { ending, inserted, insertion, seqOf } from './sample-operations.fixture.js';
import type { Store } from './store.js';

/** How every store keeps jobs, their leases and their ends: a part of the store suite. */
export function jobsSuite(opened: () => Promise<Store>): void {
  it('gives rising seqs and finds jobs by id', async () => {
    const store = await opened();
    const seqs = await inserted(store, ['a', 'b', 'c']);
    expect([...seqs].sort((left, right) => left - right)).toEqual(seqs);
    expect(await store.loadJob('b')).toMatchObject({
      id: 'b',
      seq: seqs[1],
      head: '{"h":1}',
      input: '{"i":1}',
      state: 'queued',
      attempt: 0,
    });
    expect(await store.loadJob('missing')).toBeUndefined();
  });

  it('keeps the first of two jobs with one id, in one batch or in two', async () => {
    const store = await opened();
    const [first, second] = await store.commit([insertion('a'), insertion('a', { input: '{"other":1}' })]);
    expect(first).toMatchObject({ seq: expect.any(Number) as number });
    expect(second).toBe('exists');
    expect(await store.commit([insertion('a')])).toEqual(['exists']);
    expect((await store.loadJob('a'))?.input).toBe('{"i":1}');
  });

  it('writes all of a batch or nothing', async () => {
    const store = await opened();
    const bad = { ...insertion('b'), head: undefined as unknown as string };
    await expect(store.commit([insertion('a'), bad])).rejects.toBeInstanceOf(Error);
    expect(await store.loadJob('a')).toBeUndefined();
    expect(await inserted(store, ['c'])).toHaveLength(1);
  });

  it('keeps a lease until it is taken back', async () => {
    const store = await opened();
    const [outcome] = await store.commit([insertion('a', { lease: 'L1' })]);
    const seq = seqOf(outcome);
    expect((await store.loadJob('a'))?.lease).toBe('L1');
    await store.commit([{ kind: 'lease-job', seq, lease: 'L2' }]);
    expect((await store.loadJob('a'))?.lease).toBe('L2');
    await store.commit([{ kind: 'lease-job', seq, lease: undefined }]);
    expect((await store.loadJob('a'))?.lease).toBeUndefined();
  });

  it('ends a job once, whatever comes later', async () => {
    const store = await opened();
    const [seq = 0] = await inserted(store, ['a']);
    await store.commit([ending(seq)]);
    await store.commit([ending(seq, { status: 'failed', data: undefined, error: '{}' })]);
    expect((await store.loadJob('a'))?.end).toMatchObject({
      status: 'completed',
      data: '{"ok":true}',
      attempt: 1,
      eventSeq: 1,
    });
  });
}
