import { expect, it } from 'vitest';
import { checkChain, type ChainBreak } from '../model/chain.js';
import type { AppendLink, StoredLink } from './chain-store.js';
import { sha256Hex } from './link-hash.js';
import type { Store } from './store.js';

const link = (chain: string, at: number, value: unknown): AppendLink => ({
  kind: 'append-link',
  chain,
  at,
  record: JSON.stringify(value),
});

const broken = (chain: string, links: readonly StoredLink[]): ChainBreak | undefined =>
  checkChain(chain, sha256Hex).next(links);

/** How every store keeps chains: a part of the store suite. */
export function chainSuite(opened: () => Promise<Store>): void {
  it('links what is appended to a chain, each by the hash of the one before', async () => {
    const store = await opened();
    const outcomes = await store.commit([
      link('a', 10, { n: 1 }),
      link('b', 11, { n: 2 }),
      link('a', 12, { n: 3 }),
    ]);
    expect(outcomes).toEqual([{ seq: 1 }, { seq: 1 }, { seq: 2 }]);
    expect(await store.commit([link('a', 13, { n: 4 })])).toEqual([{ seq: 3 }]);
    const links = await store.listLinks({ chain: 'a', order: 'up', limit: 10 });
    expect(links.map(({ seq, at, record }) => [seq, at, record])).toEqual([
      [1, 10, '{"n":1}'],
      [2, 12, '{"n":3}'],
      [3, 13, '{"n":4}'],
    ]);
    expect(broken('a', links)).toBeUndefined();
    expect(broken('b', links)).toMatchObject({ seq: 1 });
    expect(new Set(links.map(({ hash }) => hash)).size).toBe(3);
  });

  it('never lets a link be older than the one before, and keeps none of a batch that fails', async () => {
    const store = await opened();
    await store.commit([link('a', 20, 1), link('a', 5, 2)]);
    const failing = { ...link('a', 30, 3), at: Number.NaN };
    await expect(store.commit([link('a', 30, 3), failing])).rejects.toBeInstanceOf(Error);
    const links = await store.listLinks({ chain: 'a', order: 'up', limit: 10 });
    expect(links.map(({ at, record }) => [at, record])).toEqual([
      [20, '1'],
      [20, '2'],
    ]);
    await store.commit([link('a', 40, 4)]);
    expect(broken('a', await store.listLinks({ chain: 'a', order: 'up', limit: 10 }))).toBeUndefined();
  });

  it('lists a chain from either end, a page at a time', async () => {
    const store = await opened();
    await store.commit(Array.from({ length: 5 }, (_, index) => link('a', index, index)));
    const seqs = async (order: 'up' | 'down', beyond?: number): Promise<number[]> =>
      (await store.listLinks({ chain: 'a', order, limit: 2, ...(beyond !== undefined && { beyond }) })).map(
        ({ seq }) => seq,
      );
    expect(await seqs('up')).toEqual([1, 2]);
    expect(await seqs('up', 2)).toEqual([3, 4]);
    expect(await seqs('down')).toEqual([5, 4]);
    expect(await seqs('down', 2)).toEqual([1]);
    expect(await store.listLinks({ chain: 'none', order: 'up', limit: 2 })).toEqual([]);
  });

  it('forgets old links by age and by number, and what is left still holds together', async () => {
    const store = await opened();
    await store.commit(Array.from({ length: 10 }, (_, index) => link('a', index + 1, { n: index })));
    const all = async (): Promise<readonly StoredLink[]> =>
      store.listLinks({ chain: 'a', order: 'up', limit: 100 });
    expect(await store.pruneLinks({ chain: 'a', before: 4, keep: 100, limit: 2 })).toBe(2);
    expect(await store.pruneLinks({ chain: 'a', before: 4, keep: 100, limit: 2 })).toBe(1);
    expect(await store.pruneLinks({ chain: 'a', before: 4, keep: 100, limit: 2 })).toBe(0);
    expect((await all()).map(({ seq, record }) => [seq, record === undefined])).toEqual([
      [3, true],
      ...[4, 5, 6, 7, 8, 9, 10].map((seq) => [seq, false]),
    ]);
    expect(broken('a', await all())).toBeUndefined();
    expect(await store.pruneLinks({ chain: 'a', before: 0, keep: 2, limit: 100 })).toBe(5);
    await store.commit([link('a', 20, { n: 'next' })]);
    expect((await all()).map(({ seq }) => seq)).toEqual([8, 9, 10, 11]);
    expect(broken('a', await all())).toBeUndefined();
    expect(await store.pruneLinks({ chain: 'none', before: 99, keep: 0, limit: 100 })).toBe(0);
  });
}
