import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { openPostgresStore } from './postgres-store.js';
import { ReplicaLost, type JobPlace, type ReplicaStore } from './replica-store.js';
import { ending, insertion, seqOf } from './sample-operations.fixture.js';
import type { Store } from './store.js';

const place = (more: Partial<JobPlace> = {}): JobPlace => ({
  owned: false,
  lane: 'a',
  rank: 50,
  expiresAt: undefined,
  ...more,
});

const ids = (jobs: readonly { readonly id: string }[]): string[] => jobs.map(({ id }) => id);

describe.skipIf(missingPostgres() !== undefined)('replicas over PostgreSQL', () => {
  let cluster: PostgresCluster;
  const stores: Store[] = [];
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
  });
  afterAll(() => cluster.stop());

  const joined = async (url: string): Promise<{ store: Store; replica: ReplicaStore }> => {
    const store = await openPostgresStore({ url });
    stores.push(store);
    const replica = await store.shared?.join();
    if (replica === undefined) throw new Error('The store is not shared.');
    return { store, replica };
  };
  const pair = async () => {
    const url = cluster.newUrl();
    const [one, other] = [await joined(url), await joined(url)];
    return { one, other };
  };

  it('have a job that is nobody’s once, by lane and rank', async () => {
    const { one, other } = await pair();
    await one.store.commit([
      insertion('low', { place: place({ rank: 90 }) }),
      insertion('high', { place: place({ rank: 1 }) }),
      insertion('else', { place: place({ lane: 'b' }) }),
      insertion('owned', { place: place({ owned: true }) }),
    ]);
    expect((await other.replica.unownedLanes()).map(({ id, lane }) => [lane, id])).toEqual([
      ['a', 'high'],
      ['b', 'else'],
    ]);
    expect(ids(await other.replica.claim('a', 1))).toEqual(['high']);
    const both = await Promise.all([one.replica.claim('a', 5), other.replica.claim('a', 5)]);
    expect(ids(both.flat())).toEqual(['low']);
    expect(await one.replica.claimJob('owned')).toBeUndefined();
    expect(await other.replica.ownerOf('owned')).toBe(one.replica.id);
    expect((await one.replica.claimJob('else'))?.id).toBe('else');
    expect(ids(await other.replica.unfinished({ before: undefined, limit: 10 }))).toEqual([
      'owned',
      'else',
      'high',
      'low',
    ]);
  });

  it('take what expired while it was nobody’s', async () => {
    const { one, other } = await pair();
    await one.store.commit([
      insertion('late', { place: place({ expiresAt: 100 }) }),
      insertion('later', { place: place({ expiresAt: 300 }) }),
    ]);
    expect(ids(await other.replica.claimExpired(200, 10))).toEqual(['late']);
  });

  it('take over what one of them had leased, and leave what waited to whoever has a runner', async () => {
    const { one, other } = await pair();
    const owned = place({ owned: true });
    const [, , ended] = await one.store.commit([
      insertion('waits', { place: owned }),
      insertion('runs', { place: owned, lease: 'L' }),
      insertion('ended', { place: owned, lease: 'L' }),
      insertion('cancelled', { place: owned }),
    ]);
    await one.store.commit([
      ending(seqOf(ended)),
      { kind: 'cancel-job', seq: seqOf(ended) + 1, reason: 'user' },
    ]);
    expect(ids(await other.replica.takeOver(one.replica.id))).toEqual(['runs', 'cancelled']);
    expect(await other.replica.takeOver(one.replica.id)).toEqual([]);
    expect(ids(await other.replica.unownedLanes())).toEqual(['waits']);
    expect(ids(await other.replica.ownJobs())).toEqual(['runs', 'cancelled']);
  });

  it('refuse what one of them writes that was given up, all of it', async () => {
    const { one, other } = await pair();
    const [seq] = await one.store.commit([insertion('a', { place: place({ owned: true }) })]);
    await other.replica.takeOver(one.replica.id);
    await expect(one.store.commit([insertion('b'), ending(seqOf(seq))])).rejects.toBeInstanceOf(ReplicaLost);
    await expect(one.store.commit([ending(seqOf(seq))])).rejects.toBeInstanceOf(ReplicaLost);
    const record = { kind: 'put-record', collection: 'c', id: 'r', record: '1' } as const;
    await expect(one.store.commit([record])).rejects.toBeInstanceOf(ReplicaLost);
    expect(await one.replica.claim('a', 5)).toEqual([]);
    expect(await one.replica.beat({ floor: undefined, runners: undefined })).toBe(false);
    expect(await other.store.loadJob('b')).toBeUndefined();
    expect((await other.store.loadJob('a'))?.end).toBeUndefined();
    expect(await other.store.loadRecords('c')).toEqual([]);
  });

  it('lose nothing that was being written while its replica was given up', async () => {
    const { one, other } = await pair();
    const writes = Array.from({ length: 50 }, (_, index) =>
      one.store.commit([insertion(`job-${index}`, { place: place({ owned: true }), lease: 'L' })]).then(
        () => `job-${index}`,
        () => undefined,
      ),
    );
    await writes[3];
    const taken = ids(await other.replica.takeOver(one.replica.id));
    const written = (await Promise.all(writes)).filter((id) => id !== undefined);
    expect(taken.sort()).toEqual(written.sort());
  });

  it('look no further back than the floor that a replica told', async () => {
    const { one, other } = await pair();
    const owned = place({ owned: true });
    const outcomes = await one.store.commit([
      insertion('a', { place: owned }),
      insertion('b', { place: owned }),
    ]);
    await one.replica.beat({ floor: seqOf(outcomes[1]), runners: undefined });
    expect(ids(await one.replica.ownJobs())).toEqual(['b']);
    await other.store.commit([insertion('c', { place: place() })]);
    await one.replica.beat({ floor: 1_000, runners: undefined });
    await one.replica.claim('a', 5);
    expect(ids(await one.replica.ownJobs())).toEqual(['c']);
  });

  it('hand jobs to one another, and messages', async () => {
    const { one, other } = await pair();
    const [seq] = await one.store.commit([insertion('a', { place: place({ owned: true }) })]);
    await one.replica.release([seqOf(seq)], other.replica.id);
    expect(ids(await other.replica.ownJobs())).toEqual(['a']);
    const told = new Promise<void>((resolve) =>
      other.replica.listen({ onWork: () => undefined, onMessage: resolve }),
    );
    // Until the other one listens nobody is woken: it would look by itself.
    const sending = setInterval(() => void one.replica.send(other.replica.id, 'hello'), 20);
    await told;
    clearInterval(sending);
    expect((await other.replica.receive())[0]).toBe('hello');
    expect(await one.replica.receive()).toEqual([]);
    await other.replica.leave();
  });

  it('see that one is lost: without a beat for long, or without its connection and a beat', async () => {
    const { one, other } = await pair();
    const terms = { lostMs: 60_000, absentMs: 0 };
    expect(await other.replica.lost(terms)).toEqual([0]);
    for (const { replica } of [one, other])
      replica.listen({ onWork: () => undefined, onMessage: () => undefined });
    await expect.poll(() => one.replica.lost(terms)).toEqual([0]);
    await expect.poll(() => other.replica.lost(terms)).toEqual([0]);
    expect(await other.replica.lost({ lostMs: 0, absentMs: 0 })).toEqual([0, one.replica.id]);
    await one.replica.leave();
    expect(await other.replica.lost({ lostMs: 60_000, absentMs: 60_000 })).toEqual([0, one.replica.id]);
    await other.replica.leave();
  });
});
