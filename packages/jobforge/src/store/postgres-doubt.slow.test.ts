import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { CommitInDoubt } from './commit-in-doubt.js';
import { openPostgres } from './postgres-driver.js';
import { openPostgresStore } from './postgres-store.js';
import { readPostgresUrl } from './postgres-url.js';
import { ending, insertion, seqOf } from './sample-operations.fixture.js';
import type { Store, StoreOperation } from './store.js';

/** A way to a server on which something is lost. */
interface Way {
  readonly url: string;
  /** Nothing arrives at the server any more. */
  loseRequests(): void;
  /** Nothing comes back from the moment on at which either side says a word. */
  loseAnswersFrom(word: string): void;
  /** Whether it was sent. */
  isLosing(): boolean;
  /** Cuts what is connected; whoever connects from now on is heard. */
  cut(): void;
  close(): Promise<void>;
}

async function openWay(url: string): Promise<Way> {
  const target = new URL(url);
  const sockets = new Set<Socket>();
  let [requests, answers] = [true, true];
  let word: string | undefined;
  const server = createServer((here) => {
    const there = connect(Number(target.port), target.hostname);
    for (const socket of [here, there]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
    }
    const hear = (data: Buffer): void => {
      if (word !== undefined && data.includes(word)) answers = false;
    };
    here.on('data', (data: Buffer) => {
      hear(data);
      if (requests) there.write(data);
    });
    there.on('data', (data: Buffer) => {
      hear(data);
      if (answers) here.write(data);
    });
    here.on('close', () => there.destroy());
    there.on('close', () => here.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const own = new URL(url);
  own.port = String((server.address() as AddressInfo).port);
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    [requests, answers, word] = [true, true, undefined];
  };
  return {
    url: own.href,
    loseRequests: () => void (requests = false),
    loseAnswersFrom: (said) => void (word = said),
    isLosing: () => !answers,
    cut,
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

describe.skipIf(missingPostgres() !== undefined)('a commit whose connection is lost', () => {
  let cluster: PostgresCluster;
  const closing: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });
  afterAll(() => cluster.stop());

  /** A store behind a way, and another of the same schema that is not. */
  const setUp = async () => {
    const url = cluster.newUrl();
    const open = async (at: string): Promise<Store> => {
      const store = await openPostgresStore({ url: at });
      closing.push(() => store.close());
      return store;
    };
    const reader = await open(url);
    const way = await openWay(url);
    closing.push(way.close);
    const store = await open(way.url);
    const me = (await store.shared?.join())?.id ?? 0;
    const other = await reader.shared?.join();
    const owned = { owned: true, lane: 'a', rank: 1, expiresAt: undefined };
    const [before] = await store.commit([insertion('before', { place: owned })]);
    const [warm] = await store.commit([insertion('warm', { place: owned })]);
    const put = { kind: 'put-record', collection: 'c', id: 'r' } as const;
    await store.commit([{ ...put, record: 'old' }]);
    const link = { kind: 'append-link', chain: 'truth', at: 1, record: '[1]' } as const;
    // The server has been told of the statement: it is carried out without another answer.
    await store.commit([insertion('warmer', { place: owned }), ending(seqOf(warm)), link]);
    return { url, store, reader, other, me, way, owned, seq: seqOf(before), put, link };
  };
  const doubtOf = (committed: Promise<unknown>): Promise<CommitInDoubt> =>
    committed.then(
      () => Promise.reject(new Error('it was answered')),
      (error: unknown) =>
        error instanceof CommitInDoubt
          ? error
          : Promise.reject(new Error('it is not in doubt', { cause: error })),
    );
  /** Asks until the store can be asked: what it says does not change. */
  const settled = async ({ settle }: CommitInDoubt): ReturnType<typeof settle> => {
    await expect.poll(() => settle().then(() => true), { timeout: 15_000 }).toBe(true);
    return settle();
  };
  const linksIn = async ({ listLinks }: Store): Promise<number> =>
    (await listLinks({ chain: 'truth', order: 'up', limit: 10 })).length;
  /** Cuts the way once something that was sent has been written, and the answer to it was lost. */
  const afterWritten = async (way: Way, written: () => Promise<boolean>): Promise<void> => {
    await expect.poll(written, { timeout: 15_000 }).toBe(true);
    way.cut();
  };

  it('is known to be written, with what became of each operation, where the answer was lost', async () => {
    const { store, reader, way, owned, seq, link } = await setUp();
    way.loseAnswersFrom('new');
    const batch: StoreOperation[] = [
      insertion('before', { place: owned, createdAt: 2 }),
      insertion('new', { place: owned }),
      insertion('new', { place: owned }),
      ending(seq),
      link,
    ];
    const committed = doubtOf(store.commit(batch));
    await afterWritten(way, async () => (await reader.loadJob('new')) !== undefined);
    const outcomes = await settled(await committed);
    const stored = await reader.loadJob('new');
    expect(outcomes?.slice(0, 4)).toEqual(['exists', { seq: stored?.seq }, 'exists', 'done']);
    expect(await linksIn(reader)).toBe(2);
  });

  it('is known not to be written where it never arrived, and is not written later', async () => {
    const { store, reader, way, owned } = await setUp();
    way.loseRequests();
    const committed = doubtOf(store.commit([insertion('new', { place: owned })]));
    way.cut();
    expect(await settled(await committed)).toBeUndefined();
    expect(await reader.loadJob('new')).toBeUndefined();
    expect(await store.commit([insertion('new', { place: owned })])).toEqual([
      { seq: expect.any(Number) as number },
    ]);
  });

  it('stays closed after hundreds of others: what is still on its way is never written', async () => {
    const { store, way, owned, url } = await setUp();
    way.loseRequests();
    const committed = doubtOf(store.commit([insertion('new', { place: owned })]));
    way.cut();
    expect(await settled(await committed)).toBeUndefined();
    const database = await openPostgres(readPostgresUrl(url), { waitsForDisk: true });
    closing.push(() => database.close());
    const marks = async (): Promise<boolean[]> =>
      (await database.query('SELECT written FROM commits')).map(({ written }) => written === true);
    const write = (index: number) => store.commit([insertion(`later-${index}`, { place: owned })]);
    await Promise.all(Array.from({ length: 1_100 }, (_, index) => write(index)));
    await expect.poll(async () => (await marks()).length, { timeout: 15_000 }).toBeLessThan(1_000);
    expect((await marks()).filter((written) => !written)).toEqual([false]);
  });

  it('with records: tells whose change was made although the answer was lost', async () => {
    const { store, reader, way, put } = await setUp();
    way.loseAnswersFrom('COMMIT');
    const replaced = doubtOf(
      store.commit([
        { ...put, record: 'new', replaces: 'old' },
        { ...put, record: 'newer', replaces: 'old' },
      ]),
    );
    await afterWritten(way, async () => (await reader.loadRecords('c'))[0]?.record === 'new');
    expect(await settled(await replaced)).toEqual(['done', 'superseded']);
  });

  it('with records, before its end: is not written', async () => {
    const { store, reader, way, put } = await setUp();
    way.loseAnswersFrom('UPDATE records');
    const replaced = doubtOf(store.commit([{ ...put, record: 'new', replaces: 'old' }]));
    await expect.poll(way.isLosing, { timeout: 15_000 }).toBe(true);
    way.cut();
    expect(await settled(await replaced)).toBeUndefined();
    expect(await reader.loadRecords('c')).toEqual([{ id: 'r', record: 'old' }]);
    expect(await store.commit([{ ...put, record: 'new', replaces: 'old' }])).toEqual(['done']);
  });

  it('of a replica that was given up meanwhile cannot be asked about', async () => {
    const { store, other, me, way, owned } = await setUp();
    way.loseRequests();
    const committed = doubtOf(store.commit([insertion('new', { place: owned })]));
    way.cut();
    await other?.takeOver(me);
    await expect((await committed).settle()).rejects.toMatchObject({ name: 'ReplicaLost' });
  });
});
