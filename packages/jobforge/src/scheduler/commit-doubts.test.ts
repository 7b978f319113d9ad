import { describe, expect, it } from 'vitest';
import { silentLog } from '../model/log.js';
import { CommitInDoubt } from '../store/commit-in-doubt.js';
import { ReplicaLost } from '../store/replica-store.js';
import type { Outcome, Store, StoreOperation } from '../store/store.js';
import { createManualClock } from '../testing/manual-clock.js';
import { createGroupCommit } from './group-commit.js';

const RETRY_MS = 500;
const row = (id: string): StoreOperation => ({ kind: 'put-runner', id, record: '{}' });

/** A store whose answers the test decides: what became of a commit, and what it is when asked about it again. */
function doubtfulStore() {
  const written: string[] = [];
  const asked: string[] = [];
  let answer: 'all well' | 'lost' = 'all well';
  /** What a commit that is in doubt comes to; an error where that cannot be asked. */
  let settles: 'written' | 'unwritten' | Error = 'written';
  const store = {
    async commit(batch: readonly StoreOperation[]): Promise<readonly Outcome[]> {
      const ids = batch.map((operation) => ('id' in operation ? operation.id : ''));
      const outcomes = batch.map((_, index) => ({ seq: index + 1 }));
      if (answer === 'all well') {
        written.push(...ids);
        return outcomes;
      }
      throw new CommitInDoubt(new Error('the connection was lost'), async () => {
        asked.push(ids.join());
        if (settles instanceof Error) throw settles;
        if (settles === 'unwritten') return undefined;
        written.push(...ids);
        return outcomes;
      });
    },
  } as unknown as Store;
  const clock = createManualClock();
  const commit = createGroupCommit({ store, clock, log: silentLog, maxOperations: 100 });
  const turn = async (): Promise<void> => {
    for (let index = 0; index < 5; index += 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const told: string[] = [];
  return {
    ...{ commit, written, asked, told, turn },
    attempt: (id: string) =>
      commit.attempt(row(id), (error, outcome) =>
        told.push(`${id} ${error?.envelope.code ?? JSON.stringify(outcome)}`),
      ),
    keep: (id: string) => commit.keep(row(id), () => told.push(`${id} stored`)),
    lose: (then: typeof settles) => {
      answer = 'lost';
      settles = then;
    },
    heal: (then: typeof settles) => {
      answer = 'all well';
      settles = then;
    },
    retry: async () => {
      clock.advance(RETRY_MS);
      await turn();
    },
  };
}

const gone = new Error('nobody there');

describe('a commit whose answer was lost', () => {
  it('is told as it was written, once that is known, and is not written again', async () => {
    const { commit, written, told, turn, attempt, keep, lose } = doubtfulStore();
    lose('written');
    attempt('a');
    keep('b');
    await turn();
    expect(told).toEqual(['a {"seq":1}', 'b stored']);
    expect(written).toEqual(['a', 'b']);
    expect(commit.failure()).toBeUndefined();
  });

  it('is asked about before anything else is written, until it can be', async () => {
    const { commit, written, asked, told, turn, attempt, keep, lose, heal, retry } = doubtfulStore();
    lose(gone);
    keep('a');
    attempt('b');
    await turn();
    expect(told).toEqual(['b STORE_UNAVAILABLE']);
    expect(commit.failure()?.message).toBe('the connection was lost');
    keep('c');
    commit.passed(() => told.push('passed'));
    await retry();
    expect(asked).toEqual(['a,b', 'a,b']);
    expect(commit.failure()?.message).toBe('nobody there');
    heal('written');
    await retry();
    expect(written).toEqual(['a', 'b', 'c']);
    expect(told.slice(1)).toEqual(['a stored', 'c stored', 'passed']);
    await commit.drain();
  });

  it('is written again in its place where it was not written, but for what was refused meanwhile', async () => {
    const { commit, written, turn, attempt, keep, lose, heal, retry } = doubtfulStore();
    lose(gone);
    keep('a');
    attempt('b');
    await turn();
    keep('c');
    heal('unwritten');
    await retry();
    await commit.drain();
    expect(written).toEqual(['a', 'c']);
  });

  it('is forgotten with all else that is given up', async () => {
    const { commit, written, told, turn, keep, lose, heal, retry } = doubtfulStore();
    lose(gone);
    keep('a');
    await turn();
    commit.discard();
    heal('unwritten');
    await retry();
    keep('b');
    await turn();
    expect(written).toEqual(['b']);
    expect(told).toEqual(['b stored']);
  });
});

it('what is being written when all is given up is not written later in another name', async () => {
  const written: string[] = [];
  let refuse = (_: Error): void => undefined;
  const store = {
    commit: (batch: readonly StoreOperation[]) => {
      if (written.length === 0) {
        written.push('begun');
        return new Promise((_, reject) => (refuse = reject));
      }
      written.push(...batch.map((operation) => ('id' in operation ? operation.id : '')));
      return Promise.resolve(batch.map(() => 'done' as const));
    },
  } as unknown as Store;
  const clock = createManualClock();
  const commit = createGroupCommit({ store, clock, log: silentLog, maxOperations: 100 });
  commit.keep(row('a'));
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
  commit.discard();
  refuse(new ReplicaLost());
  await new Promise((resolve) => setImmediate(resolve));
  clock.advance(RETRY_MS);
  commit.keep(row('b'));
  clock.advance(RETRY_MS);
  await commit.drain();
  expect(written.filter((id) => id !== 'jobforge.probe')).toEqual(['begun', 'b']);
});
