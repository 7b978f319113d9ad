import { JobSubmission } from '@controlplane/contracts';
import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createFileRooms } from '../files/file-rooms.js';
import { DEFAULT_LIMITS } from '../model/limits.js';
import type { RecordAccess } from '../store/collection.js';
import { openPostgresStore } from '../store/postgres-store.js';
import { insertion } from '../store/sample-operations.fixture.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Store } from '../store/store.js';
import { createManualClock, type ManualClock } from '../testing/manual-clock.js';
import { openFolders } from '../testing/open-folders.js';
import { missingPostgres, startPostgres, type PostgresCluster } from '../testing/postgres-cluster.js';
import { createFileClaims } from './file-claims.js';
import { createFileSweep } from './file-sweep.js';
import { createSubmissionFiles } from './submission-files.js';

const { inFolder, remove } = openFolders();
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  remove();
});

/** As long as files stay that somebody is about to name. */
const CLAIMED_MS = 900_000;

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const file = { name: 'a', sha256: createHash('sha256').update('mine').digest('hex'), bytes: 4 };
const submission = JobSubmission.parse({
  ...{ id: 'j', type: 'echo', files: [file] },
  payload: { type: 'echo', data: {} },
});

interface Shared {
  readonly store: Store;
  readonly folder: string;
  readonly clock: ManualClock;
}

/** What one JobForge has of the files of jobs, and what is done while its store is asked something. */
function replica({ store, folder, clock }: Shared) {
  const files = createFileRooms(folder);
  let [asking, reading] = [async (): Promise<void> => undefined, async (): Promise<void> => undefined];
  const loadJob: Store['loadJob'] = async (id) => {
    await asking();
    return store.loadJob(id);
  };
  const records: RecordAccess = {
    async load(collection) {
      const loaded = await store.loadRecords(collection);
      await reading();
      return loaded;
    },
    write: async (operation) => (await store.commit([operation]))[0] ?? 'done',
  };
  const isThere = async (jobId: string): Promise<boolean> => (await loadJob(jobId)) !== undefined;
  const claims = createFileClaims({ records, clock, isThere });
  const state = { store: { ...store, loadJob }, limits: DEFAULT_LIMITS, clock };
  const forgetArtifacts = (jobId: string): Promise<void> => files.artifacts.remove(jobId);
  const { gather } = createSubmissionFiles({ state, files, claims });
  const bring = async (): Promise<void> => (await gather({ submission, input: '{}', actor: 'me' })).keep();
  return {
    claims,
    bring,
    files,
    sweep: createFileSweep({ state, files, claims, forgetArtifacts }),
    upload: async () => (await files.uploads.receive('me', once('mine'), 10)).keep(),
    /** As the whole of a submission: first the files, then the job. */
    submit: async () => {
      await bring();
      await store.commit([insertion('j')]);
    },
    insert: async () => void (await store.commit([insertion('j')])),
    isGoing: async () =>
      (await store.loadRecords('files:j')).some(({ record }) => record.includes('"going"')),
    isKept: async () => (await files.carried.find('j', file.sha256)) !== undefined,
    whileLooking: (work: () => Promise<void>) => void (asking = work),
    whileReading: (work: () => Promise<void>) => void (reading = work),
  };
}

/** Does something once. */
function onlyOnce(work: () => Promise<void>): () => Promise<void> {
  let done = false;
  return async () => {
    if (done) return;
    done = true;
    await work();
  };
}

/** Lets time pass until something is done. */
async function patiently<T>(clock: ManualClock, deed: Promise<T>): Promise<T> {
  const ticking = setInterval(() => clock.advance(50), 1);
  return deed.finally(() => clearInterval(ticking));
}

function sweepSuite(open: (schema: string) => Promise<Store>): void {
  /** Two JobForges over one store and one folder; files of a job that is not there any more. */
  const stage = async () => {
    const [schema, folder, clock] = [crypto.randomUUID(), inFolder(), createManualClock(Date.now())];
    const of = async () => {
      const store = await open(schema);
      closing.push(() => store.close());
      return replica({ store, folder, clock });
    };
    const [one, other] = [await of(), await of()];
    await one.upload();
    await one.bring();
    return { one, other, clock };
  };
  /** The same, found missing once. */
  const missing = async () => {
    const staged = await stage();
    staged.clock.advance(CLAIMED_MS);
    expect(await staged.other.sweep(true)).toBe(0);
    return staged;
  };

  it('files of a job that is gone are forgotten once it was missing twice', async () => {
    const { one, other } = await missing();
    expect(await one.isKept()).toBe(true);
    expect(await other.sweep(true)).toBe(1);
    expect(await one.isKept()).toBe(false);
  });

  it('files of a job that is on its way at another JobForge stay, however often it is found missing', async () => {
    const { one, other } = await missing();
    await one.bring();
    for (let look = 0; look < 3; look += 1) expect(await other.sweep(true)).toBe(0);
    expect(await one.isKept()).toBe(true);
  });

  it('of one who forgets files and one who claims them at the same moment, the second is told', async () => {
    const { one, other } = await missing();
    other.whileReading(onlyOnce(one.bring));
    expect(await other.sweep(true)).toBe(0);
    expect(await one.isKept()).toBe(true);
  });

  it('a job that is submitted while its files are being forgotten elsewhere waits, and brings them anew', async () => {
    const { one, other, clock } = await missing();
    let submitted: Promise<void> | undefined;
    let looks = 0;
    other.whileLooking(async () => {
      looks += 1;
      // The first is that of the sweep, the second after it has decided.
      if (looks === 2) submitted = one.submit();
    });
    expect(await other.sweep(true)).toBe(1);
    await patiently(clock, submitted ?? Promise.reject(new Error('nothing was submitted')));
    expect(await one.isKept()).toBe(true);
    clock.advance(CLAIMED_MS);
    expect([await other.sweep(true), await other.sweep(true)]).toEqual([0, 0]);
    expect(await one.isKept()).toBe(true);
  });

  it('a job that came without files before it was decided keeps what it has', async () => {
    const { one, other } = await missing();
    let looks = 0;
    other.whileLooking(async () => {
      looks += 1;
      if (looks === 2) await other.insert();
    });
    expect(await other.sweep(true)).toBe(0);
    expect(await one.isKept()).toBe(true);
  });

  it('where whoever forgot files has ended in the middle, another goes on after a while', async () => {
    const { one, other, clock } = await missing();
    const failed = other.claims.forget('j', () => new Promise(() => undefined));
    failed.catch(() => undefined);
    await expect.poll(() => one.isGoing(), { timeout: 15_000 }).toBe(true);
    expect(await one.claims.forget('j', () => one.files.carried.remove('j'))).toBe(false);
    clock.advance(CLAIMED_MS);
    expect(await one.claims.forget('j', () => one.files.carried.remove('j'))).toBe(true);
    expect(await one.isKept()).toBe(false);
  });
}

describe('over SQLite', () => {
  const stores = new Map<string, Store>();
  sweepSuite(async (schema) => {
    const store = stores.get(schema) ?? (await openSqliteStore({ location: ':memory:' }));
    stores.set(schema, store);
    return { ...store, close: async () => (stores.delete(schema) ? store.close() : undefined) };
  });
});

describe.skipIf(missingPostgres() !== undefined)('over PostgreSQL', () => {
  let cluster: PostgresCluster;
  const urls = new Map<string, string>();
  beforeAll(async () => {
    cluster = await startPostgres();
  }, 30_000);
  afterAll(() => cluster.stop());
  sweepSuite((schema) => {
    const url = urls.get(schema) ?? cluster.newUrl();
    urls.set(schema, url);
    return openPostgresStore({ url });
  });
});
