import { describe, expect, test } from 'vitest';
import type { InstalledPackage } from './installed-packages.js';
import { groupByLicense, NAMED_PER_GROUP } from './licenses.js';

const installed = (name: string, license?: string, version = '1.0.0'): InstalledPackage => ({
  name,
  version,
  dir: `/node_modules/${name}`,
  manifest: { license },
});

describe('licenses', () => {
  test('what a person should look at comes first, then the larger group', () => {
    const packages = [
      installed('a', 'MIT'),
      installed('b', 'ISC'),
      installed('c', 'MIT'),
      installed('d', 'MPL-2.0'),
      installed('e'),
    ];
    expect(groupByLicense(packages)).toEqual([
      { license: 'none stated', verdict: 'unknown', count: 1, packages: ['e@1.0.0'] },
      { license: 'MPL-2.0', verdict: 'copyleft', count: 1, packages: ['d@1.0.0'] },
      { license: 'MIT', verdict: 'permissive', count: 2, packages: ['a@1.0.0', 'c@1.0.0'] },
      { license: 'ISC', verdict: 'permissive', count: 1, packages: ['b@1.0.0'] },
    ]);
  });

  test('copies of one version count once, versions each', () => {
    const packages = [installed('a', 'MIT'), installed('a', 'MIT'), installed('a', 'MIT', '2.0.0')];
    expect(groupByLicense(packages)).toMatchObject([{ count: 2, packages: ['a@1.0.0', 'a@2.0.0'] }]);
  });

  test('a huge group names some of its packages and counts all', () => {
    const packages = Array.from({ length: NAMED_PER_GROUP + 50 }, (_, index) =>
      installed(`p${index}`, 'MIT'),
    );
    const [group] = groupByLicense(packages);
    expect(group?.count).toBe(NAMED_PER_GROUP + 50);
    expect(group?.packages).toHaveLength(NAMED_PER_GROUP);
  });
});
