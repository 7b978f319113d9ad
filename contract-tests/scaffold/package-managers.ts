import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { succeed } from './commands.js';

/** What installs a project and runs its scripts. */
export interface PackageManager {
  readonly command: string;
  /** After `install`. */
  readonly flags: readonly string[];
  /** So that the command is found, and finds its registry. */
  readonly env: Readonly<Record<string, string>>;
}

export const NPM: PackageManager = {
  command: 'npm',
  flags: ['--no-audit', '--no-fund', '--prefer-offline'],
  env: {},
};

const root = JSON.parse(
  readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8'),
) as {
  readonly packageManager: string;
};
// Of the package bun itself a script would put the program in its place; the baseline runs on every processor.
const BUN = `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : 'x64-baseline'}`;

/** Each other package manager, as the registry has it → its package, and its command. */
const PACKAGES = {
  pnpm: { specifier: root.packageManager, command: 'pnpm' },
  'yarn 1': { specifier: 'yarn@1.22.22', command: 'yarn' },
  'yarn 4': { specifier: '@yarnpkg/cli-dist@4.18.1', command: 'yarn' },
  bun: { specifier: `${BUN}@1.4.4`, command: 'bun' },
} as const;

export type PackageManagerName = keyof typeof PACKAGES;
export const PACKAGE_MANAGERS = Object.keys(PACKAGES) as PackageManagerName[];

/** Installs one with npm, into a folder of its own in `room`. */
export async function installPackageManager(name: PackageManagerName, room: string): Promise<PackageManager> {
  const { specifier, command } = PACKAGES[name];
  const folder = join(room, `with-${name.replace(' ', '-')}`);
  mkdirSync(folder);
  await succeed('npm', ['install', '--prefix', folder, ...NPM.flags, specifier], { cwd: folder });
  const bin = join(folder, name === 'bun' ? 'bin' : 'node_modules/.bin');
  if (name === 'bun') {
    mkdirSync(bin);
    // By its name it knows whether it runs a command of a dependency.
    for (const alias of ['bun', 'bunx'])
      symlinkSync(join(folder, 'node_modules', BUN, 'bin/bun'), join(bin, alias));
  }
  const { stdout: registry } = await succeed('npm', ['config', 'get', 'registry'], { cwd: folder });
  const PATH = `${bin}:${process.env['PATH']}`;
  // Yarn 4 alone does not read what npm is configured for, and makes no lockfile where CI is set unless told to.
  const yarn = { YARN_NPM_REGISTRY_SERVER: registry.trim(), YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' };
  return { command, flags: [], env: { PATH, ...yarn } };
}
