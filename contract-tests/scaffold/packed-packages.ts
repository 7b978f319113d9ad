import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { succeed } from './commands.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
/** What a project is made with and from. */
const OF_PROJECTS = [
  'contracts',
  'runner-sdk',
  'capabilities',
  'jobforge',
  'contract-test-kit',
  'create-runner',
] as const;

/** Package name → its tarball. */
export type Tarballs = ReadonlyMap<string, string>;

interface Manifest {
  readonly name: string;
  readonly packageManager: string;
  readonly [field: string]: unknown;
}

const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;

async function pack(name: string, into: string): Promise<[string, string]> {
  const folder = join(root, 'packages', name);
  if (!existsSync(join(folder, 'dist')))
    throw new Error(`packages/${name} is not built: run this with pnpm test:slow, which builds.`);
  const before = new Set(readdirSync(into));
  // Not npm: it would leave `workspace:` and `catalog:` in the tarball.
  await succeed(
    'npx',
    ['--yes', '--prefer-offline', readManifest(root).packageManager, 'pack', '--pack-destination', into],
    { cwd: folder },
  );
  const made = readdirSync(into).find((file) => !before.has(file));
  if (made === undefined) throw new Error(`packages/${name}: pnpm pack wrote no tarball`);
  return [readManifest(folder).name, join(into, made)];
}

/**
 * Packs packages as they would be published.
 * @param names - folders below packages/; default: those that projects need
 */
export async function packAll(into: string, names: readonly string[] = OF_PROJECTS): Promise<Tarballs> {
  const packed: [string, string][] = [];
  for (const name of names) packed.push(await pack(name, into));
  return new Map(packed);
}
