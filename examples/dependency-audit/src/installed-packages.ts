/**
 * @module
 * Finds the packages that are really installed below a folder, whichever of npm, pnpm and yarn put them there. Reads
 * only, and knows nothing of capabilities: what is done with the packages is said in licenses.ts and duplicates.ts.
 */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';

/** One package on disk. The same name and version may be installed in several places. */
export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** Its real folder: never a link. */
  readonly dir: string;
  readonly manifest: Readonly<Record<string, unknown>>;
}

/** What was found, and what looked like a package but could not be read. */
export interface Installation {
  readonly packages: readonly InstalledPackage[];
  readonly unreadable: readonly string[];
}

interface Walk {
  readonly signal: AbortSignal | undefined;
  /** node_modules folders and package folders that have been read, by real path. */
  readonly seen: Set<string>;
  readonly packages: InstalledPackage[];
  readonly unreadable: string[];
  readonly found: ((count: number) => void) | undefined;
}

export interface FindOptions {
  readonly signal?: AbortSignal;
  /** Told how many packages have been found so far. */
  readonly found?: (count: number) => void;
}

/**
 * Reads `<dir>/node_modules` and everything that it leads to: nested folders (npm, yarn), pnpm's virtual store through
 * its links, and the own folders of linked workspace packages, which are not counted themselves.
 */
export async function findInstalledPackages(dir: string, options: FindOptions = {}): Promise<Installation> {
  const walk: Walk = {
    signal: options.signal,
    found: options.found,
    seen: new Set(),
    packages: [],
    unreadable: [],
  };
  const start = await realpath(join(dir, 'node_modules'));
  await readdir(start); // further down, what cannot be read is passed over; here it is the answer
  const queue = [start];
  for (let folder = queue.pop(); folder !== undefined; folder = queue.pop()) {
    walk.signal?.throwIfAborted();
    queue.push(...(await readNodeModules(folder, walk)));
  }
  return { packages: walk.packages.toSorted(byNameAndVersion), unreadable: walk.unreadable };
}

/** Whether nothing is installed. Stops at the first package; what cannot be read is not called empty. */
export async function isEmptyInstallation(dir: string): Promise<boolean> {
  const some = new AbortController();
  const options = { signal: some.signal, found: () => some.abort() };
  const { packages, unreadable } = await findInstalledPackages(dir, options).catch(() => ({
    packages: undefined,
    unreadable: undefined,
  }));
  return packages?.length === 0 && unreadable?.length === 0;
}

/** How many different name@version pairs there are: one that is installed in several places counts once. */
export function countDistinct(packages: readonly InstalledPackage[]): number {
  return new Set(packages.map(({ name, version }) => `${name}@${version}`)).size;
}

function byNameAndVersion(a: InstalledPackage, b: InstalledPackage): number {
  return compare(a.name, b.name) || compare(a.version, b.version) || compare(a.dir, b.dir);
}

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** Reads one node_modules folder; returns the other such folders that it leads to. */
async function readNodeModules(folder: string, walk: Walk): Promise<string[]> {
  if (walk.seen.has(folder)) return [];
  walk.seen.add(folder);
  const names = await namesIn(folder);
  const further: string[] = [];
  if (names.includes('.pnpm')) further.push(...(await virtualStore(join(folder, '.pnpm'))));
  for (const name of names.filter((candidate) => !candidate.startsWith('.'))) {
    walk.signal?.throwIfAborted();
    const inside = name.startsWith('@') ? await namesIn(join(folder, name)) : [''];
    for (const scoped of inside) further.push(...(await readPackage(join(folder, name, scoped), walk)));
  }
  return further;
}

/** pnpm: `.pnpm/<name>@<version>/node_modules` holds the package itself beside links to what it depends on. */
async function virtualStore(store: string): Promise<string[]> {
  const entries = await namesIn(store);
  return entries.filter((entry) => entry.includes('@')).map((entry) => join(store, entry, 'node_modules'));
}

async function readPackage(path: string, walk: Walk): Promise<string[]> {
  const dir = await realpath(path).catch(() => undefined);
  if (dir === undefined || walk.seen.has(dir)) return [];
  walk.seen.add(dir);
  // A link that leaves node_modules leads to a package of the workspace itself: only what it installs counts.
  const isOwn = !dir.includes(`${sep}node_modules${sep}`);
  if (!isOwn) await recordPackage(dir, walk);
  const parent = enclosingNodeModules(dir);
  const nested = join(dir, 'node_modules');
  return isOwn || parent === undefined ? [nested] : [nested, parent];
}

/** The node_modules folder that a package lies in: with pnpm, its dependencies are there beside it. */
function enclosingNodeModules(dir: string): string | undefined {
  const parent = basename(dirname(dir)).startsWith('@') ? dirname(dirname(dir)) : dirname(dir);
  return parent.includes(`${sep}.pnpm${sep}`) && basename(parent) === 'node_modules' ? parent : undefined;
}

/** A folder without package.json is no package: node_modules also holds caches and build output. */
async function recordPackage(dir: string, walk: Walk): Promise<void> {
  const text = await readFile(join(dir, 'package.json'), 'utf8').catch(() => undefined);
  if (text === undefined) return;
  const manifest = parseManifest(text);
  if (manifest === undefined) {
    walk.unreadable.push(dir);
    return;
  }
  const { name, version } = manifest;
  walk.packages.push({
    name: typeof name === 'string' && name !== '' ? name : basename(dir),
    version: typeof version === 'string' && version !== '' ? version : 'unversioned',
    dir,
    manifest,
  });
  walk.found?.(walk.packages.length);
}

function parseManifest(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Empty for what is missing, no folder, or not ours to read. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
