import { expect, it } from 'vitest';
import type { Store } from './store.js';

/** How every store keeps runners and small documents: a part of the store suite. */
export function recordsSuite(opened: () => Promise<Store>): void {
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

  it('removes a record only where it is what was meant', async () => {
    const store = await opened();
    const place = { collection: 'tokens', id: 'a' } as const;
    await store.commit([{ kind: 'put-record', ...place, record: '1' }]);
    const remove = { kind: 'remove-record', ...place } as const;
    expect(await store.commit([{ ...remove, replaces: '0' }])).toEqual(['superseded']);
    expect(await store.loadRecords('tokens')).toHaveLength(1);
    expect(
      await store.commit([
        { ...remove, replaces: '1' },
        { ...remove, replaces: '1' },
      ]),
    ).toEqual(['done', 'superseded']);
    expect(await store.loadRecords('tokens')).toEqual([]);
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
}
