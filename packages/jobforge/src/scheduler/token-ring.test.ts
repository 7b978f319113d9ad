import { expect, it } from 'vitest';
import fc from 'fast-check';
import { createTokenRing, type Remembered } from './token-ring.js';

const PLACES = 8;

it('finds the last of what was added, and nothing else, whatever the ids', () => {
  const ids = fc.uniqueArray(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 40 }), {
    maxLength: 60,
  });
  const seqs = fc.option(fc.nat({ max: 2 ** 40 }), { nil: undefined });
  fc.assert(
    fc.property(ids, fc.array(seqs, { minLength: 60, maxLength: 60 }), (added, ends) => {
      const ring = createTokenRing(PLACES);
      const told = new Map<string, Remembered>();
      for (const [index, id] of added.entries()) {
        const remembered = { token: `token-${index}`, seq: ends[index] };
        ring.add(id, remembered);
        told.set(id, remembered);
      }
      const kept = new Set(added.slice(-PLACES));
      for (const id of added) expect(ring.find(id)).toEqual(kept.has(id) ? told.get(id) : undefined);
      expect(ring.find('never added')).toBeUndefined();
    }),
  );
});

it('tells an id from the beginning of a longer one', () => {
  const ring = createTokenRing(PLACES);
  ring.add('01J', { token: 'T', seq: 1 });
  expect(ring.find('01')).toBeUndefined();
  expect(ring.find('01JT')).toBeUndefined();
});

it('remembers none that does not fit, and keeps what it has', () => {
  const ring = createTokenRing(PLACES);
  ring.add('a', { token: 't', seq: 1 });
  ring.add('x'.repeat(100), { token: 't', seq: 2 });
  expect(ring.find('x'.repeat(100))).toBeUndefined();
  expect(ring.find('a')).toEqual({ token: 't', seq: 1 });
});
