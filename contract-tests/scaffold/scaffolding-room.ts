import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt, succeed } from './commands.js';
import { NPM, type PackageManager } from './package-managers.js';
import { packAll } from './packed-packages.js';

const NO_NETWORK =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|ETIMEDOUT|ECONNRESET|ENOTCACHED/;

/** A folder outside the repository, where nothing of it is found by walking up, with the packed packages. */
export interface ScaffoldingRoom {
  readonly folder: string;
  /** The packed create-runner, from an empty cache and without the network; returns the project's folder. */
  scaffold(name: string, ...flags: string[]): Promise<string>;
  /** Installs, by default with npm. Returns why there is nothing to test with where the registry cannot be reached. */
  install(project: string, manager?: PackageManager): Promise<string | undefined>;
  close(): void;
}

/** Packs the packages as they would be published. */
export async function openScaffoldingRoom(): Promise<ScaffoldingRoom> {
  const folder = mkdtempSync(join(tmpdir(), 'scaffold-'));
  const tarballs = await packAll(folder);
  const cache = ['--cache', join(folder, 'cache')];
  // An empty cache and no network: what is in the tarball has to do.
  const alone = ['--yes', '--offline', ...cache, `--package=${tarballs.get('create-runner')}`];
  return {
    folder,
    async scaffold(name, ...flags) {
      const command = ['create-runner', name, '--yes', '--packages', '.', ...flags];
      await succeed('npm', ['exec', ...alone, '--', ...command], { cwd: folder });
      return join(folder, name);
    },
    async install(project, { command, flags, env } = NPM) {
      const install = await attempt(command, ['install', ...flags], { cwd: project, env });
      if (install.code === 0) return undefined;
      if (!NO_NETWORK.test(install.output) || process.env['CI'] === 'true')
        throw new Error(`${command} install:\n${install.output}`);
      const why = `the packages of a scaffolded project cannot be fetched: ${NO_NETWORK.exec(install.output)?.[0]}`;
      console.warn(`SKIPPED: ${why}`);
      return why;
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
