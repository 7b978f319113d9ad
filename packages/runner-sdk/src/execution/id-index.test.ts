import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIdIndex, hashOfId } from './id-index.js';

test('finds what a map would find', () => {
  const id = fc.string({ maxLength: 3 });
  fc.assert(
    fc.property(fc.array(id, { maxLength: 64 }), fc.array(id), (added, sought) => {
      const index = createIdIndex(64);
      const map = new Map<string, number>();
      for (const [row, name] of added.entries()) {
        index.add(name, hashOfId(name), row);
        map.set(name, row);
      }
      for (const name of [...added, ...sought]) {
        expect(index.find(name, hashOfId(name))).toBe(map.get(name) ?? -1);
      }
    }),
  );
});

test('tells apart ids of one hash', () => {
  const index = createIdIndex(3);
  for (const [row, id] of ['a', 'b', 'c'].entries()) index.add(id, 7, row);
  expect(['a', 'b', 'c', 'd'].map((id) => index.find(id, 7))).toEqual([0, 1, 2, -1]);
});

test('forgets all and starts again', () => {
  const index = createIdIndex(2);
  index.add('a', hashOfId('a'), 0);
  index.clear();
  expect(index.find('a', hashOfId('a'))).toBe(-1);
  index.add('b', hashOfId('b'), 0);
  expect([index.find('a', hashOfId('a')), index.find('b', hashOfId('b'))]).toEqual([-1, 0]);
});
