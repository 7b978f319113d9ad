import { afterEach, describe, expect, it } from 'vitest';
import { createCollection, type Collection, type RecordAccess } from './collection.js';
import { openSqliteStore } from './sqlite-store.js';
import type { Store } from './store.js';

interface Counter {
  readonly count: number;
}

const opened: Store[] = [];
afterEach(() => Promise.all(opened.splice(0).map((store) => store.close())));

/** As many processes as are wanted over one store. */
async function collections(count: number): Promise<Collection<Counter>[]> {
  const store = await openSqliteStore({ location: ':memory:', durability: 'full' });
  opened.push(store);
  const records: RecordAccess = {
    load: (name) => store.loadRecords(name),
    write: async (operation) => (await store.commit([operation]))[0] ?? 'done',
  };
  return Array.from({ length: count }, () => createCollection<Counter>(records, 'counters'));
}

const increment = (current: Counter | undefined): Counter => ({ count: (current?.count ?? 0) + 1 });

async function pair(): Promise<[Collection<Counter>, Collection<Counter>]> {
  const [left, right] = await collections(2);
  if (left === undefined || right === undefined) throw new Error('two were asked for');
  return [left, right];
}

describe('a collection of records', () => {
  it('holds what was written, and holds it again after a restart', async () => {
    const [before, after] = await pair();
    await before.change('a', increment);
    await before.change('b', increment);
    await before.remove('b');
    expect(after.size).toBe(0);
    await after.reload();
    expect([...after.entries()]).toEqual([['a', { count: 1 }]]);
    expect(after.get('a')).toEqual({ count: 1 });
  });

  it('loses no change of two who change a record at once', async () => {
    const [left, right] = await pair();
    await Promise.all([left, right].flatMap((one) => [1, 2, 3, 4].map(() => one.change('a', increment))));
    await left.reload();
    expect(left.get('a')).toEqual({ count: 8 });
  });

  it('changes nothing where the change is refused', async () => {
    const [only] = await pair();
    await only.change('a', increment);
    const refuse = (): Counter => {
      throw new Error('no');
    };
    await expect(only.change('a', refuse)).rejects.toThrow('no');
    expect(only.get('a')).toEqual({ count: 1 });
  });

  it('forgets, when it is read anew, what another has removed', async () => {
    const [left, right] = await pair();
    await left.change('a', increment);
    await right.reload();
    await left.remove('a');
    await right.reload();
    expect(right.get('a')).toBeUndefined();
  });
});
