import { describe, expect, it } from 'vitest';
import {
  CONTRACT_VERSION_CURRENT,
  isBreakingChange,
  negotiateVersion,
  parseVersion,
  satisfiesRange,
  serializeVersion,
  WireContractVersion,
} from './version.js';

const v = parseVersion;

describe('parseVersion', () => {
  it.each([
    ['1.2.3', { major: 1, minor: 2, patch: 3 }],
    ['1.2.3-rc.1', { major: 1, minor: 2, patch: 3, preRelease: 'rc.1' }],
    ['1.2.3-rc-1', { major: 1, minor: 2, patch: 3, preRelease: 'rc-1' }],
    ['1.2.3+build', { major: 1, minor: 2, patch: 3 }],
  ])('reads %s', (text, parts) => {
    expect(parseVersion(text)).toEqual(parts);
  });

  it.each(['abc', '1.2', '1.2.x', '', '-1.0.0', '1.2.3 ', `${'9'.repeat(400)}.0.0`])(
    'refuses "%s"',
    (text) => {
      expect(() => parseVersion(text)).toThrow(RangeError);
    },
  );

  it('is undone by serializeVersion', () => {
    for (const text of ['0.0.0', '1.2.3', '1.2.3-rc-1']) expect(serializeVersion(v(text))).toBe(text);
  });
});

describe('satisfiesRange', () => {
  it.each([
    ['1.0.0', { min: v('1.0.0') }, true],
    ['0.9.9', { min: v('1.0.0') }, false],
    ['1.4.0', { min: v('1.0.0'), max: v('1.4.0') }, true],
    ['1.4.1', { min: v('1.0.0'), max: v('1.4.0') }, false],
    ['2.0.0', { min: v('1.0.0'), exact: v('1.0.0') }, false],
    ['1.0.0', { min: v('9.0.0'), exact: v('1.0.0') }, true],
  ])('%s in %j is %s', (text, range, expected) => {
    expect(satisfiesRange(v(text), range)).toBe(expected);
  });
});

describe('compatibility', () => {
  it('breaks with a change of major, either way', () => {
    expect(isBreakingChange(v('1.9.0'), v('2.0.0'))).toBe(true);
    expect(isBreakingChange(v('2.0.0'), v('1.9.0'))).toBe(true);
    expect(isBreakingChange(v('1.0.0'), v('1.9.0'))).toBe(false);
  });

  it('speaks the lower minor of the same major', () => {
    expect(negotiateVersion(v('1.3.0'), v('1.1.5'))).toEqual(v('1.1.5'));
    expect(negotiateVersion(v('1.0.0'), v('1.1.0'))).toEqual(v('1.0.0'));
    expect(negotiateVersion(v('1.0.0'), v('2.0.0'))).toBeUndefined();
  });

  it('reads both wire forms as parts', () => {
    expect(WireContractVersion.parse('1.0.0')).toEqual(CONTRACT_VERSION_CURRENT);
    expect(WireContractVersion.parse({ major: 1, minor: 0, patch: 0 })).toEqual(CONTRACT_VERSION_CURRENT);
    expect(WireContractVersion.safeParse('one').success).toBe(false);
  });
});
