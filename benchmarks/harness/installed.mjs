// Packages as a user gets them: installed by npm into an empty folder, ours from the tarballs that would be published.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { childEnvironment } from '../../scripts/environment.mjs';
import { pnpm } from '../../scripts/install.mjs';
import { root } from '../../scripts/report.mjs';

const quietly = (command, args, cwd) =>
  execFileSync(command, args, {
    cwd,
    env: childEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
  });

/**
 * Packs a package of this repository.
 * @param {string} name its folder below packages/
 * @param {string} into
 * @returns {string} the tarball
 */
export function pack(name, into) {
  mkdirSync(into, { recursive: true });
  const [command, args] = pnpm(['pack', '--pack-destination', into]);
  quietly(command, args, join(root, 'packages', name));
  const made = readdirSync(into).find((file) => new RegExp(`^(controlplane-)?${name}-[0-9]`).test(file));
  if (made === undefined) throw new Error(`packages/${name}: pnpm pack wrote no tarball`);
  return join(into, made);
}

/**
 * @param {string} folder made, with a package.json of its own
 * @param {string[]} specifiers as `npm install` takes them
 */
export function npmInstall(folder, specifiers) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  quietly('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...specifiers], folder);
}

/**
 * What an installation takes up.
 * @param {string} folder
 * @returns {{ bytes: number, packages: number }}
 */
export function footprint(folder) {
  const sizes = readdirSync(join(folder, 'node_modules'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => statSync(join(entry.parentPath, entry.name)).size);
  const lock = JSON.parse(readFileSync(join(folder, 'node_modules', '.package-lock.json'), 'utf8'));
  return {
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    // Optional ones for other platforms are named in the lockfile and not installed.
    packages: Object.keys(lock.packages).filter((path) => existsSync(join(folder, path))).length,
  };
}
