import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Beside the templates: where npm puts each package that a project may need, and what that needs itself. */
export const LOCK_TABLE_FILE = 'npm-lock.json';
export const NPM_LOCK_FILE = 'package-lock.json';

/** A package as npm's lockfile has it. */
export interface LockEntry {
  readonly version: string;
  readonly integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly [field: string]: unknown;
}

/** Place below the project, such as `node_modules/zod` → the package there. */
export type LockTable = Readonly<Record<string, LockEntry>>;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly engines?: object;
}

const MODULES = 'node_modules/';

/** The table that the build wrote beside the templates. */
export function readLockTable(templates: string): LockTable {
  return (JSON.parse(readFileSync(join(templates, LOCK_TABLE_FILE), 'utf8')) as { packages: LockTable })
    .packages;
}

/** Names that a package does not work without, or takes where its platform has them. */
function neededBy(entry: LockEntry): string[] {
  const { dependencies, optionalDependencies, peerDependencies = {}, peerDependenciesMeta = {} } = entry;
  const peers = Object.keys(peerDependencies).filter((name) => peerDependenciesMeta[name]?.optional !== true);
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers];
}

/** Where Node finds `name` from a place on: the nearest one upwards. */
export function placeOf(table: LockTable, name: string, from = ''): string | undefined {
  const place = `${from === '' ? '' : `${from}/`}${MODULES}${name}`;
  if (table[place]) return place;
  const above = from.lastIndexOf(`/${MODULES}`);
  return from === '' ? undefined : placeOf(table, name, above < 0 ? '' : from.slice(0, above));
}

/** Every place that these names lead to. */
function reached(table: LockTable, names: readonly string[]): ReadonlySet<string> {
  const places = new Set<string>();
  const queue = names.map((name) => ({ name, from: '' }));
  for (let next = queue.pop(); next; next = queue.pop()) {
    const place = placeOf(table, next.name, next.from);
    const entry = place === undefined ? undefined : table[place];
    if (place === undefined || !entry || places.has(place)) continue;
    places.add(place);
    queue.push(...neededBy(entry).map((name) => ({ name, from: place })));
  }
  return places;
}

const nameAt = (place: string): string => place.slice(place.lastIndexOf(MODULES) + MODULES.length);

/** Where a package comes from, and its hash: a tarball in the project, or the registry. Undefined: npm has to ask. */
function sourceOf(
  place: string,
  { version, integrity }: LockEntry,
  options: LockOptions,
): object | undefined {
  const name = nameAt(place);
  const tarball = options.tarballs.get(name);
  if (tarball) return { resolved: `file:${tarball.path}`, integrity: tarball.integrity };
  if (integrity === undefined) return undefined;
  return { resolved: `${options.registry}/${name}/-/${name.split('/').at(-1)}-${version}.tgz`, integrity };
}

/** What {@link npmLockText} is told beside the project's package.json. */
export interface LockOptions {
  readonly table: LockTable;
  /** Address of the registry that npm is configured for, without a slash at its end. */
  readonly registry: string;
  /** Name → the tarball that the project brings along, relative to it. */
  readonly tarballs: ReadonlyMap<string, { readonly path: string; readonly integrity: string }>;
}

/**
 * The lockfile with which npm looks up nothing but the packages of ours: the registry alone knows their hashes, and npm
 * adds them.
 */
export function npmLockText(text: string, options: LockOptions): string {
  const { table } = options;
  const { name, version, dependencies, devDependencies, engines } = JSON.parse(text) as Manifest;
  const inProduction = reached(table, Object.keys({ ...dependencies }));
  const all = reached(table, Object.keys({ ...dependencies, ...devDependencies }));
  const entries = Object.entries(table).flatMap(([place, entry]) => {
    const source = all.has(place) ? sourceOf(place, entry, options) : undefined;
    if (!source) return [];
    const dev = inProduction.has(place) ? {} : { dev: true };
    const { version: locked, integrity: _, ...rest } = entry;
    return [[place, { version: locked, ...source, ...dev, ...rest }] as const];
  });
  const root = { name, version, dependencies, devDependencies, engines };
  const packages = { '': root, ...Object.fromEntries(entries) };
  return `${JSON.stringify({ name, version, lockfileVersion: 3, requires: true, packages }, null, 2)}\n`;
}
