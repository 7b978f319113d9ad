import { describe, expect, test } from 'vitest';
import { duplicateText, licenseText } from './report-text.js';

describe('license report', () => {
  const groups = [
    { license: 'none stated', verdict: 'unknown' as const, count: 1, packages: ['odd@1.0.0'] },
    { license: 'MIT', verdict: 'permissive' as const, count: 2, packages: ['a@1.0.0', 'b@1.0.0'] },
  ];

  test('flags what to look at and sums up', () => {
    const text = licenseText({ packages: 3, groups }, 80);
    expect(text).toMatch(/none stated\s+1\s+\? unknown\s+odd@1\.0\.0/);
    expect(text).toMatch(/MIT\s+2\s+a@1\.0\.0, b@1\.0\.0/);
    expect(text.split('\n').at(-1)).toBe('1 to look at, 2 permissive');
  });

  test('says when there is nothing to look at', () => {
    expect(licenseText({ packages: 2, groups: groups.slice(1) }, 80)).toContain('all are permissive');
  });
});

describe('duplicate report', () => {
  const duplicate = (
    name: string,
  ): { name: string; bytes: number; versions: { version: string; copies: number; bytes: number }[] } => ({
    name,
    bytes: 3000,
    versions: [
      { version: '1.0.0', copies: 1, bytes: 1000 },
      { version: '2.0.0', copies: 3, bytes: 2000 },
    ],
  });

  test('names versions, copies and size', () => {
    const text = duplicateText({ packages: 9, copies: 12, bytes: 3000, duplicates: [duplicate('a')] }, 80);
    expect(text).toMatch(/^Duplicates among 9 packages \(12 copies on disk\)\n/);
    expect(text).toMatch(/a\s+2\s+3\.0 kB\s+1\.0\.0, 2\.0\.0 ×3/);
    expect(text).toContain('1 package in several versions, 3.0 kB together');
  });

  test('a long list is cut, and says by how much', () => {
    const duplicates = Array.from({ length: 30 }, (_, index) => duplicate(`p${index}`));
    const text = duplicateText({ packages: 90, copies: 90, bytes: 90_000, duplicates }, 80);
    expect(text).toContain('… and 5 more');
    expect(text).toContain('30 packages in several versions');
  });

  test('says when there are none', () => {
    expect(duplicateText({ packages: 9, copies: 9, bytes: 0, duplicates: [] }, 80)).toContain(
      'every package is there in one version',
    );
  });
});
