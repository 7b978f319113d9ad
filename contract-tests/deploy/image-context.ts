import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Tarballs } from '../scaffold/packed-packages.js';

const DEPLOY = fileURLToPath(new URL('../../docs/deploy', import.meta.url));

interface Manifest {
  readonly dependencies: Record<string, string>;
}

/** A folder of docs/deploy whose packages come from tarballs beside it: none of them is in a registry yet. */
export function imageContext(name: string, into: string, tarballs: Tarballs): string {
  const folder = join(into, name);
  cpSync(join(DEPLOY, name), folder, { recursive: true });
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
  const local: Record<string, string> = {};
  for (const [dependency, path] of tarballs) {
    cpSync(path, join(folder, basename(path)));
    local[dependency] = `file:${basename(path)}`;
  }
  const own = Object.keys(manifest.dependencies).filter((dependency) => dependency in local);
  const dependencies = {
    ...manifest.dependencies,
    ...Object.fromEntries(own.map((key) => [key, local[key]])),
  };
  writeFileSync(
    join(folder, 'package.json'),
    JSON.stringify({ ...manifest, dependencies, overrides: local }),
  );
  return folder;
}
