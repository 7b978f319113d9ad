import { describe, expect, it } from 'vitest';
import { silentLog } from '../model/log.js';
import { ending, insertion } from '../store/sample-operations.fixture.js';
import { openSqliteStore } from '../store/sqlite-store.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createGroupCommit, type GroupCommit } from './group-commit.js';

const runnerRow = (id: string): StoreOperation => ({ kind: 'put-runner', id, record: '{}' });

async function setUp(maxOperations = 100) {
  const store = await openSqliteStore({ location: ':memory:' });
  const batches: number[] = [];
  let broken: Error | undefined;
  const failing: Store = {
    ...store,
    async commit(batch) {
      batches.push(batch.length);
      if (broken !== undefined) throw broken;
      return store.commit(batch);
    },
  };
  const clock = createManualClock();
  const commit = createGroupCommit({ store: failing, clock, log: silentLog, maxOperations });
  return { store, commit, clock, batches, setBroken: (error: Error | undefined) => (broken = error) };
}

const attempt = (commit: Awaited<ReturnType<typeof setUp>>['commit'], id: string): Promise<string> =>
  new Promise((resolve) =>
    commit.attempt(runnerRow(id), (error) => resolve(error?.envelope.code ?? 'stored')),
  );

describe('group commit', () => {
  it('stores in one transaction what arrived in one turn, and in bites where it is too much', async () => {
    const { commit, batches } = await setUp(4);
    await Promise.all(['a', 'b', 'c', 'd', 'e', 'f'].map((id) => attempt(commit, id)));
    expect(batches).toEqual([4, 2]);
  });

  it('tells of a flush only after everybody was told that it is stored', async () => {
    const { commit } = await setUp();
    const told: string[] = [];
    commit.onFlush(() => told.push('flush'));
    commit.attempt(runnerRow('a'), () => told.push('a'));
    commit.keep(runnerRow('b'), () => told.push('b'));
    await commit.drain();
    expect(told).toEqual(['a', 'b', 'flush']);
  });

  it('refuses those who wait for a commit that failed, and keeps what has happened for the next', async () => {
    const { commit, store, clock, setBroken } = await setUp();
    setBroken(new Error('disk is full'));
    let kept = false;
    commit.keep(runnerRow('kept'), () => (kept = true));
    expect(await attempt(commit, 'waiting')).toBe('STORE_UNAVAILABLE');
    expect(kept).toBe(false);
    expect(commit.failure()?.message).toBe('disk is full');
    setBroken(undefined);
    const drained = commit.drain();
    clock.advance(500);
    await drained;
    expect(kept).toBe(true);
    expect(commit.failure()).toBeUndefined();
    expect((await store.loadRunners()).map(({ id }) => id)).toEqual(['kept']);
  });

  it('finds out that the store can be written again although nothing waits for that', async () => {
    const { commit, store, clock, setBroken } = await setUp();
    setBroken(new Error('disk is full'));
    expect(await attempt(commit, 'refused')).toBe('STORE_UNAVAILABLE');
    clock.advance(500);
    await expect.poll(() => commit.failure()?.message).toBe('disk is full');
    setBroken(undefined);
    await expect
      .poll(() => {
        clock.advance(500);
        return commit.failure();
      })
      .toBeUndefined();
    expect(await store.loadRunners()).toEqual([]);
  });

  it('tries nothing more once it is closed, and refuses whoever comes', async () => {
    const { commit, clock, batches, setBroken } = await setUp();
    setBroken(new Error('disk is full'));
    commit.keep(runnerRow('kept'));
    await expect(commit.drain()).rejects.toThrow('disk is full');
    commit.close();
    const tries = batches.length;
    clock.advance(5_000);
    expect(await attempt(commit, 'late')).toBe('STORE_UNAVAILABLE');
    expect(batches).toHaveLength(tries);
  });

  it('goes on when a callback throws', async () => {
    const { commit } = await setUp();
    commit.keep(runnerRow('a'), () => {
      throw new Error('from a callback');
    });
    expect(await attempt(commit, 'b')).toBe('stored');
    expect(await attempt(commit, 'c')).toBe('stored');
  });
});

describe('a mark', () => {
  it('is passed at once where nothing waits, else after all that was given before it', async () => {
    const { commit } = await setUp();
    const told: string[] = [];
    commit.passed(() => told.push('at once'));
    expect(told).toEqual(['at once']);
    const first = attempt(commit, 'a').then(() => told.push('a'));
    commit.passed(() => told.push('after a'));
    await first;
    expect(told).toContain('after a');
  });
});

/** What the store refuses whatever else is in its batch: a part of a millisecond in a column of whole ones. */
const poison: StoreOperation = {
  kind: 'retry-job',
  ...{ seq: 1, attempt: 1, retries: 0, eventSeq: 1, startedAt: 0.5, endedAt: 1, nextAt: 1 },
  ...{ runnerId: 'r', executionId: 'e', error: '{}' },
};

describe('an operation that the store always refuses', () => {
  it('fails alone, and the rest of its batch goes through in order', async () => {
    const { commit, store } = await setUp();
    const told: string[] = [];
    for (const id of ['a', 'b', 'c']) {
      void attempt(commit, id).then((outcome) => told.push(`${id} ${outcome}`));
      if (id === 'b') commit.attempt(poison, (error) => told.push(`poison ${error?.envelope.code}`));
    }
    await commit.drain();
    expect(told.sort()).toEqual(['a stored', 'b stored', 'c stored', 'poison STORE_UNAVAILABLE']);
    expect((await store.loadRunners()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    expect(commit.failure()).toBeUndefined();
  });

  it('is given up with word to whom it concerns, also where nothing else is to be written', async () => {
    const { commit, store, batches } = await setUp();
    const given: string[] = [];
    commit.keep(
      poison,
      () => given.push('stored'),
      (error) => given.push(error.envelope.code),
    );
    await commit.drain();
    expect(given).toEqual(['STORE_UNAVAILABLE']);
    expect(commit.failure()).toBeUndefined();
    expect(await store.loadRunners()).toEqual([]);
    const tries = batches.length;
    expect(await attempt(commit, 'next')).toBe('stored');
    expect(batches).toHaveLength(tries + 1);
  });
});

/** Commits that wait until they are told what becomes of them. */
function heldStore() {
  const under: { readonly size: number; readonly first: string; end(error?: Error): void }[] = [];
  let seq = 0;
  const store = {
    commit: (batch: readonly StoreOperation[]) =>
      new Promise<readonly Outcome[]>((resolve, reject) => {
        const [first] = batch;
        under.push({
          size: batch.length,
          first: first !== undefined && 'id' in first ? first.id : '',
          end: (error) => {
            if (error !== undefined) return reject(error);
            resolve(batch.map(({ kind }) => (kind === 'insert-job' ? { seq: (seq += 1) } : 'done')));
          },
        });
      }),
  };
  const commit = createGroupCommit({
    store: store as unknown as Store,
    clock: createManualClock(),
    log: silentLog,
    maxOperations: 400,
  });
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  return { commit, under, turn };
}

const submit = (commit: GroupCommit, ids: readonly string[], told: string[] = []): string[] => {
  for (const id of ids)
    commit.attempt(insertion(id), (error) => told.push(error === undefined ? id : `not ${id}`));
  return told;
};
const hundred = (prefix: string): string[] => Array.from({ length: 100 }, (_, index) => `${prefix}${index}`);

describe('a second transaction', () => {
  it('is begun beside the first where there is much and neither depends on the other, and no third', async () => {
    const { commit, under, turn } = heldStore();
    submit(commit, ['a']);
    await turn();
    submit(commit, hundred('b').slice(1));
    await turn();
    expect(under).toHaveLength(1);
    submit(commit, ['last of b']);
    await turn();
    submit(commit, hundred('c'));
    await turn();
    expect(under.map(({ size }) => size)).toEqual([1, 100]);
    under[0]?.end();
    await turn();
    await turn();
    expect(under.map(({ size }) => size)).toEqual([1, 100, 100]);
  });

  it.each([
    ['waits', ['insert-job', 'put-runner']],
    ['is waited for', ['put-runner', 'insert-job']],
  ] as const)('%s where one may be about what the other changes', async (_, kinds) => {
    const { commit, under, turn } = heldStore();
    for (const kind of kinds) {
      if (kind === 'put-runner') commit.keep(runnerRow('r'));
      submit(commit, hundred(kind));
      await turn();
    }
    expect(under).toHaveLength(1);
    under[0]?.end();
    await turn();
    await turn();
    expect(under).toHaveLength(2);
  });

  it('tells of a place in the order only once all before it is stored', async () => {
    const { commit, under, turn } = heldStore();
    const told = submit(commit, ['a']);
    await turn();
    submit(commit, hundred('b'), told);
    commit.passed(() => told.push('passed'));
    await turn();
    under[1]?.end();
    await turn();
    expect(told).toEqual(hundred('b'));
    under[0]?.end();
    await turn();
    expect(told.slice(100)).toEqual(['a', 'passed']);
  });

  it('is stored although the first cannot be: what has happened is kept in its order', async () => {
    const { commit, under, turn } = heldStore();
    const kept: string[] = [];
    commit.keep(ending(1), () => kept.push('ended'));
    await turn();
    const told = submit(commit, hundred('b'));
    await turn();
    under[0]?.end(new Error('disk is full'));
    await turn();
    // Whether it can write at all.
    under[2]?.end(new Error('disk is full'));
    await turn();
    expect(commit.failure()?.message).toBe('disk is full');
    under[1]?.end();
    await turn();
    expect(told).toEqual(hundred('b'));
    expect(kept).toEqual([]);
  });
});
