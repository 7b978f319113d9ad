import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const IGNORED = /^(node_modules|dist|\.cache)$|\.(test|test-d)\.ts$|\.tsbuildinfo$/;

/**
 * Every file below a path that a build may read: tests and generated folders are left out.
 * @param {string} path a file or a folder; one that is missing yields nothing
 * @returns {string[]}
 */
export function filesBelow(path) {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .filter((name) => !IGNORED.test(name))
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/**
 * One hash over names and contents.
 * @param {{ base: string, paths: string[], also?: unknown }} what `also`: any value that must change the hash too
 */
export function fingerprint({ base, paths, also }) {
  const hash = createHash('sha256').update(JSON.stringify(also ?? null));
  for (const file of paths.flatMap(filesBelow)) {
    hash.update(`\0${relative(base, file)}\0`).update(readFileSync(file));
  }
  return hash.digest('hex');
}

/**
 * What a folder holds, cheaply: it changes when somebody else rebuilt, emptied or removed it.
 * @param {string} dir
 */
export function contentsOf(dir) {
  if (!existsSync(dir)) return 'missing';
  const stats = readdirSync(dir, { recursive: true }).map((name) => statSync(join(dir, String(name))));
  return `${stats.length} files, newest ${Math.max(0, ...stats.map((stat) => stat.mtimeMs))}`;
}

/** @param {string} file */
export const readStamp = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : '');

/** @param {string} file @param {string} stamp */
export function writeStamp(file, stamp) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, stamp);
}
