import { afterEach, describe, expect, it } from 'vitest';
import { chainSuite } from './chain.suite.js';
import type { FinishJob, InsertJob, Outcome, Store } from './store.js';

const insertion = (id: string, overrides: Partial<InsertJob> = {}): InsertJob => ({
  kind: 'insert-job',
  id,
  type: 'kind.a',
  head: '{"h":1}',
  input: '{"i":1}',
  createdAt: 1_000,
  state: 'queued',
  lease: undefined,
  ...overrides,
});

const ending = (seq: number, overrides: Partial<FinishJob> = {}): FinishJob => ({
  kind: 'finish-job',
  seq,
  status: 'completed',
  attempt: 1,
  eventSeq: 1,
  startedAt: 1_500,
  endedAt: 2_000,
  runnerId: 'r1',
  runnerVersion: '1.0.0',
  executionId: 'x1',
  data: '{"ok":true}',
  error: undefined,
  dropped: 0,
  droppedBytes: 0,
  ...overrides,
});

const seqOf = (outcome: Outcome | undefined): number => {
  if (typeof outcome !== 'object') throw new Error(`expected a seq, got ${String(outcome)}`);
  return outcome.seq;
};

/** The behaviour that every store shows. */
export function storeSuite(name: string, open: () => Promise<Store>): void {
  describe(`${name} store`, () => {
    const stores: Store[] = [];
    const opened = async (): Promise<Store> => {
      const store = await open();
      stores.push(store);
      return store;
    };
    const inserted = async (store: Store, ids: readonly string[]): Promise<number[]> =>
      (await store.commit(ids.map((id) => insertion(id)))).map(seqOf);
    afterEach(async () => {
      for (const store of stores.splice(0)) await store.close();
    });

    chainSuite(opened);

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

    it('remembers attempts and events in order', async () => {
      const store = await opened();
      const [seq = 0] = await inserted(store, ['a']);
      const event = {
        kind: 'add-event',
        seq,
        attempt: 1,
        at: 1_600,
        type: 'log',
        data: '{"message":"m"}',
      } as const;
      await store.commit([
        { ...event, eventSeq: 2 },
        { ...event, eventSeq: 1, type: 'progress' },
        { ...event, eventSeq: 2, data: '{"twice":1}' },
      ]);
      const retry = {
        kind: 'retry-job',
        seq,
        attempt: 1,
        retries: 1,
        eventSeq: 3,
        startedAt: 1_500,
        endedAt: 1_700,
        nextAt: 9_000,
        runnerId: 'r1',
        executionId: 'x1',
        error: '{"code":"X"}',
      } as const;
      await store.commit([retry]);
      expect(await store.loadJob('a')).toMatchObject({
        state: 'retrying',
        attempt: 1,
        retries: 1,
        nextAt: 9_000,
        error: '{"code":"X"}',
        lease: undefined,
      });
      const history = await store.loadHistory(seq);
      expect(history.events.map(({ eventSeq, type, data }) => [eventSeq, type, data])).toEqual([
        [1, 'progress', '{"message":"m"}'],
        [2, 'log', '{"twice":1}'],
      ]);
      expect(history.attempts).toMatchObject([
        { attempt: 1, eventSeq: 3, runnerId: 'r1', executionId: 'x1', nextAt: 9_000 },
      ]);
    });

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

    it('keeps the records of a collection, by id', async () => {
      const store = await opened();
      const put = { kind: 'put-record', collection: 'tokens' } as const;
      await store.commit([
        { ...put, id: 'b', record: '{"n":1}' },
        { ...put, id: 'a', record: '{"n":2}' },
        { ...put, collection: 'secrets', id: 'a', record: '{"n":3}' },
        { ...put, id: 'b', record: '{"n":4}' },
        { ...put, id: 'c', record: '{"n":5}' },
        { kind: 'remove-record', collection: 'tokens', id: 'c' },
        { kind: 'remove-record', collection: 'tokens', id: 'missing' },
      ]);
      expect(await store.loadRecords('tokens')).toEqual([
        { id: 'a', record: '{"n":2}' },
        { id: 'b', record: '{"n":4}' },
      ]);
      expect(await store.loadRecords('secrets')).toEqual([{ id: 'a', record: '{"n":3}' }]);
      expect(await store.loadRecords('missing')).toEqual([]);
    });

    it('tells the second of two who replace one record that it is superseded', async () => {
      const store = await opened();
      const put = { kind: 'put-record', collection: 'tokens', id: 'a' } as const;
      const outcomes = await store.commit([
        { ...put, record: '0', replaces: null },
        { ...put, record: 'other', replaces: null },
        { ...put, record: '1', replaces: '0' },
        { ...put, record: '2', replaces: '0' },
        { ...put, id: 'missing', record: '1', replaces: '0' },
      ]);
      expect(outcomes).toEqual(['done', 'superseded', 'done', 'superseded', 'superseded']);
      expect(await store.loadRecords('tokens')).toEqual([{ id: 'a', record: '1' }]);
    });

    it('remembers runners until they are removed', async () => {
      const store = await opened();
      await store.commit([
        { kind: 'put-runner', id: 'r1', record: '1' },
        { kind: 'put-runner', id: 'r2', record: '2' },
      ]);
      await store.commit([
        { kind: 'put-runner', id: 'r1', record: '3' },
        { kind: 'remove-runner', id: 'r2' },
      ]);
      expect(await store.loadRunners()).toEqual([{ id: 'r1', record: '3' }]);
    });

    it('replaces and takes back events, and keeps the last checkpoint of a job', async () => {
      const store = await opened();
      const [seq = 0] = await inserted(store, ['a']);
      const event = { kind: 'add-event', seq, attempt: 1, at: 1, type: 'log' } as const;
      await store.commit([
        { ...event, eventSeq: 1, data: '1' },
        { ...event, eventSeq: 2, data: '2' },
        { ...event, eventSeq: 1, data: '"again"' },
        { kind: 'remove-event', seq, attempt: 1, eventSeq: 2 },
        { kind: 'remove-event', seq, attempt: 1, eventSeq: 3 },
      ]);
      expect((await store.loadHistory(seq)).events.map(({ data }) => data)).toEqual(['"again"']);
      expect(await store.loadCheckpoint(seq)).toBeUndefined();
      await store.commit([{ kind: 'put-checkpoint', seq, data: '{"at":1}' }]);
      await store.commit([{ kind: 'put-checkpoint', seq, data: '{"at":2}' }]);
      expect(await store.loadCheckpoint(seq)).toBe('{"at":2}');
      await store.commit([{ kind: 'remove-checkpoint', seq }]);
      expect(await store.loadCheckpoint(seq)).toBeUndefined();
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
  });
}
