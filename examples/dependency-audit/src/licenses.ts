import type { InstalledPackage } from './installed-packages.js';
import { judgeLicense, statedLicense, type Verdict } from './license-verdict.js';

/** Packages named per group; `count` is exact. Keeps the result of a huge installation within the inline limit. */
export const NAMED_PER_GROUP = 200;

export interface LicenseGroup {
  /** As stated in package.json; "none stated" where it says nothing. */
  readonly license: string;
  readonly verdict: Verdict;
  /** Distinct name@version pairs. */
  readonly count: number;
  readonly packages: string[];
}

/** Groups packages by license, what a person should look at first, then by size of the group. */
export function groupByLicense(packages: Iterable<InstalledPackage>): LicenseGroup[] {
  const groups = new Map<string, Set<string>>();
  for (const { name, version, manifest } of packages) {
    const license = statedLicense(manifest) || 'none stated';
    const members = groups.get(license) ?? new Set();
    groups.set(license, members.add(`${name}@${version}`));
  }
  return [...groups]
    .map(([license, members]) => ({
      license,
      verdict: judgeLicense(license),
      count: members.size,
      packages: [...members].toSorted().slice(0, NAMED_PER_GROUP),
    }))
    .toSorted((a, b) => attention(b) - attention(a) || b.count - a.count || (a.license < b.license ? -1 : 1));
}

const attention = ({ verdict }: LicenseGroup): number =>
  ['permissive', 'copyleft', 'unknown'].indexOf(verdict);
