import fc from 'fast-check';
import { expect, it } from 'vitest';
import { matchesGlob } from './name-glob.js';

it.each([
  ['client-acme-1', 'client-acme-*', true],
  ['client-acme-', 'client-acme-*', true],
  ['client-other-1', 'client-acme-*', false],
  ['client-acme-1', 'client-*-1', true],
  ['client-acme-2', 'client-*-1', false],
  ['images-1', 'images-?', true],
  ['images-10', 'images-?', false],
  ['Images-1', 'images-*', false],
  ['a[1]', 'a[1]', true],
  ['a1', 'a[1]', false],
  ['', '*', true],
  ['x', '', false],
  ['runner-🦊', 'runner-?', true],
])('%j by %j: %s', (name, pattern, expected) => {
  expect(matchesGlob(name, pattern)).toBe(expected);
});

it('says what a regular expression of the same meaning says', () => {
  const letters = fc.array(fc.constantFrom('a', 'b', '-'), { maxLength: 12 }).map((parts) => parts.join(''));
  const signs = fc.array(fc.constantFrom('a', 'b', '-', '*', '?'), { maxLength: 8 });
  fc.assert(
    fc.property(letters, signs, (name, pattern) => {
      const source = pattern.join('').replaceAll('?', '.').replaceAll('*', '.*');
      expect(matchesGlob(name, pattern.join(''))).toBe(new RegExp(`^${source}$`, 's').test(name));
    }),
    { numRuns: 2_000 },
  );
});

it('takes no longer for a pattern that makes others try every split', () => {
  expect(matchesGlob('a'.repeat(128), `${'*a'.repeat(63)}*b`)).toBe(false);
});
