import { describe, expect, it } from 'vitest';
import { compareVersions, satisfiesVersionRange, VersionRange } from './version-range.js';

describe('satisfiesVersionRange', () => {
  it.each([
    ['1.2.3', '1.2.3', true],
    ['1.2.3', '=1.2.3', true],
    ['1.2.3', '1.2.4', false],
    ['1.2.3', '1.2', true],
    ['1.3.0', '1.2', false],
    ['1.9.9', '1.x', true],
    ['2.0.0', '1.x', false],
    ['7.0.0', '*', true],
    ['7.0.0', 'x', true],
    ['1.9.0', '^1.2', true],
    ['1.1.9', '^1.2', false],
    ['2.0.0', '^1.2', false],
    ['0.2.9', '^0.2.3', true],
    ['0.3.0', '^0.2.3', false],
    ['0.0.3', '^0.0.3', true],
    ['0.0.4', '^0.0.3', false],
    ['0.5.0', '^0', true],
    ['1.0.0', '^0', false],
    ['1.2.9', '~1.2.3', true],
    ['1.3.0', '~1.2.3', false],
    ['1.9.0', '~1', true],
    ['1.2.0', '>=1.2 <2', true],
    ['2.0.0', '>=1.2 <2', false],
    ['1.2.0', '>= 1.2  < 2', true],
    ['1.3.0', '>1.2', true],
    ['1.2.9', '>1.2', false],
    ['1.2.9', '<=1.2', true],
    ['1.3.0', '<=1.2', false],
    ['1.3.5', '1.2 - 1.3', true],
    ['1.4.0', '1.2 - 1.3', false],
    ['3.1.0', '^1.0 || ^3.0', true],
    ['2.1.0', '^1.0 || ^3.0', false],
    ['1.2.3+build.5', '1.2.3', true],
    ['1.0.0', '<*', false],
    ['1.0.0', '>*', false],
    ['1.0.0', '<=*', true],
  ])('%s in %s: %s', (version, range, expected) => {
    expect(satisfiesVersionRange(version, range)).toBe(expected);
  });

  it.each([
    ['2.0.0-rc.1', '^1.2', false],
    ['1.3.0-rc.1', '^1.2', false],
    ['1.3.0-rc.2', '^1.3.0-rc.1', true],
    ['1.3.0-rc.1', '^1.3.0-rc.2', false],
    ['1.3.0', '^1.3.0-rc.1', true],
    ['1.4.0-rc.1', '^1.3.0-rc.1', false],
    ['1.3.0-rc.10', '>=1.3.0-rc.9', true],
    ['1.3.0-rc', '>1.3.0-9', true],
  ])(
    'takes a pre-release only where one of the same version is named: %s in %s: %s',
    (version, range, expected) => {
      expect(satisfiesVersionRange(version, range)).toBe(expected);
    },
  );

  it('takes what is no version by its letters or by *', () => {
    expect(satisfiesVersionRange('2026-a', '2026-a')).toBe(true);
    expect(satisfiesVersionRange('latest', '*')).toBe(true);
    expect(satisfiesVersionRange('latest', '^1.0.0')).toBe(false);
  });
});

describe('VersionRange', () => {
  it.each(['', 'newest', '1.2.3.4', '^', '>=', '1.x-rc.1', '^1.2 ||| 3', 'a || 1', `${'1 || '.repeat(40)}1`])(
    'refuses %j',
    (range) => expect(VersionRange.safeParse(range).success).toBe(false),
  );
});

it('sorts versions upwards, what is none before all', () => {
  const versions = ['1.10.0', 'latest', '1.2.0', '1.10.0-rc.1'];
  expect(versions.toSorted(compareVersions)).toEqual(['latest', '1.2.0', '1.10.0-rc.1', '1.10.0']);
});
