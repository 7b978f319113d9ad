import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCK_TABLE_FILE, placeOf } from '../project/npm-lock.js';
import type { LockEntry, LockTable } from '../project/npm-lock.js';

type Versions = Readonly<Record<string, string>>;

export interface LockTableOptions {
  /** The folder of the templates, which has what npm resolved their packages to. */
  readonly templates: string;
  /** The folder with the packages of ours. */
  readonly packages: string;
  /** Of pnpm-workspace.yaml. */
  readonly catalog: Versions;
  /** Name → version of each package that a template names. */
  readonly named: Versions;
}

interface Manifest {
  readonly version: string;
  readonly license: string;
  readonly bin?: Readonly<Record<string, string>>;
  readonly engines: object;
  readonly dependencies?: Versions;
  readonly peerDependencies?: Versions;
  readonly peerDependenciesMeta?: LockEntry['peerDependenciesMeta'];
}

const OWN = '@controlplane/';
const SCRIPT = 'pnpm --filter create-runner lock';

function manifestOf(name: string, { packages }: LockTableOptions): Manifest {
  return JSON.parse(readFileSync(join(packages, name.slice(OWN.length), 'package.json'), 'utf8')) as Manifest;
}

/** As a published package.json says it, where ours says `workspace:^` or `catalog:`. */
function published(name: string, spec: string, options: LockTableOptions): string {
  if (spec === 'workspace:^') return `^${manifestOf(name, options).version}`;
  return spec === 'catalog:' ? (options.catalog[name] ?? spec) : spec;
}

/** A package of ours as npm's lockfile has it once it is published. */
function entryOf(name: string, options: LockTableOptions): LockEntry {
  const { version, license, bin, engines, dependencies = {}, ...rest } = manifestOf(name, options);
  const { peerDependencies, peerDependenciesMeta } = rest;
  const needed = Object.entries(dependencies).map(([key, spec]) => [key, published(key, spec, options)]);
  const commands = Object.entries(bin ?? {}).map(([key, file]) => [key, file.replace(/^\.\//, '')]);
  return {
    version,
    license,
    dependencies: Object.fromEntries(needed) as Versions,
    ...(bin ? { bin: Object.fromEntries(commands) as Versions } : {}),
    engines,
    ...(peerDependencies ? { peerDependencies } : {}),
    ...(peerDependenciesMeta ? { peerDependenciesMeta } : {}),
  };
}

/** Those of ours that these need, with themselves. */
function ownOf(names: readonly string[], options: LockTableOptions, seen = new Set<string>()): Set<string> {
  for (const name of names) {
    if (!name.startsWith(OWN) || seen.has(name)) continue;
    seen.add(name);
    ownOf(Object.keys(manifestOf(name, options).dependencies ?? {}), options, seen);
  }
  return seen;
}

/** Refuses a table that npm resolved before the catalog changed. */
function check(table: LockTable, versions: Versions): void {
  for (const [name, wanted] of Object.entries(versions)) {
    const found = table[placeOf(table, name) ?? '']?.version;
    if (found === wanted || wanted.startsWith('^')) continue;
    throw new Error(
      `templates/${LOCK_TABLE_FILE} has ${name} ${found ?? 'not at all'}, projects have ${wanted}. Run: ${SCRIPT}`,
    );
  }
}

/** Every package that a project of any template may need: those of ours as they are here, the others as npm resolved them. */
export function lockTable(options: LockTableOptions): LockTable {
  const { packages } = JSON.parse(readFileSync(join(options.templates, LOCK_TABLE_FILE), 'utf8')) as {
    packages: LockTable;
  };
  const names = [...ownOf(Object.keys(options.named), options)];
  const own = names.map((name) => [`node_modules/${name}`, entryOf(name, options)] as const);
  // npm's own order.
  const places = [...own, ...Object.entries(packages)].sort(([a], [b]) => a.localeCompare(b, 'en'));
  const table = Object.fromEntries(places);
  for (const [, entry] of own) check(table, entry.dependencies ?? {});
  check(table, options.named);
  return table;
}
