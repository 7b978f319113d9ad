import type { InstalledPackage } from './installed-packages.js';
import { sizeOnDisk } from './size-on-disk.js';

export interface DuplicateVersion {
  readonly version: string;
  /** Places that this version is installed in. */
  readonly copies: number;
  readonly bytes: number;
}

/** A package that is installed in more than one version. */
export interface Duplicate {
  readonly name: string;
  /** Newest last. */
  readonly versions: DuplicateVersion[];
  /** Of all its versions together. */
  readonly bytes: number;
}

export interface DuplicateOptions {
  readonly signal?: AbortSignal;
  /** Called before each package that is measured. */
  readonly measuring?: (name: string, index: number, total: number) => Promise<void>;
}

/** Packages that are present in several versions, the largest first. Only these are measured. */
export async function findDuplicates(
  packages: readonly InstalledPackage[],
  options: DuplicateOptions = {},
): Promise<Duplicate[]> {
  const several = [...groupBy(packages, ({ name }) => name)].filter(
    ([, installed]) => groupBy(installed, ({ version }) => version).size > 1,
  );
  const duplicates: Duplicate[] = [];
  for (const [index, [name, installed]] of several.entries()) {
    await options.measuring?.(name, index, several.length);
    const versions = await measureVersions(installed, options.signal);
    duplicates.push({ name, versions, bytes: versions.reduce((total, { bytes }) => total + bytes, 0) });
  }
  return duplicates.toSorted((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
}

async function measureVersions(
  installed: readonly InstalledPackage[],
  signal: AbortSignal | undefined,
): Promise<DuplicateVersion[]> {
  const counted = new Set<string>();
  const versions: DuplicateVersion[] = [];
  for (const [version, copies] of groupBy(installed, (one) => one.version)) {
    let bytes = 0;
    for (const { dir } of copies) bytes += await sizeOnDisk(dir, counted, signal);
    versions.push({ version, copies: copies.length, bytes });
  }
  return versions.toSorted((a, b) => a.version.localeCompare(b.version, 'en', { numeric: true }));
}

/** Map.groupBy, which Node 20 does not have. */
function groupBy<Item>(items: readonly Item[], keyOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item)) ?? [];
    group.push(item);
    groups.set(keyOf(item), group);
  }
  return groups;
}
