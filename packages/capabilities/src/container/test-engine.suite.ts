import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { findEngine, type Engine } from './engine.js';

/** An image of busybox alone, which no registry has to be asked for. */
export const IMAGE = 'localhost/controlplane-test:1';

const BUSYBOX = ['/usr/bin/busybox', '/bin/busybox'].find((file) => existsSync(file));
const APPLETS = [
  'sh',
  'cat',
  'ls',
  'sleep',
  'echo',
  'head',
  'tr',
  'id',
  'env',
  'printf',
  'sha256sum',
  'ln',
  'mkdir',
  'touch',
  'chmod',
  'dd',
  'wc',
];

/** Podman with files of its own: nothing of this machine's containers is touched. */
function configure(root: string): void {
  writeFileSync(
    join(root, 'containers.conf'),
    '[engine]\nruntime="runc"\ncgroup_manager="cgroupfs"\nevents_logger="file"\n[containers]\ndefault_ulimits=["nofile=1024:1024","nproc=1024:1024"]\n',
  );
  writeFileSync(
    join(root, 'storage.conf'),
    `[storage]\ndriver="vfs"\nrunroot="${root}/run"\ngraphroot="${root}/graph"\n`,
  );
  process.env['CONTAINERS_CONF'] = join(root, 'containers.conf');
  process.env['CONTAINERS_STORAGE_CONF'] = join(root, 'storage.conf');
}

function importImage(engine: Engine, root: string, busybox: string): void {
  const image = join(root, 'image');
  for (const folder of ['bin', 'tmp', 'job']) mkdirSync(join(image, folder), { recursive: true });
  copyFileSync(busybox, join(image, 'bin/busybox'));
  for (const applet of APPLETS) symlinkSync('busybox', join(image, 'bin', applet));
  execFileSync('tar', ['-cf', join(root, 'image.tar'), '-C', image, '.']);
  execFileSync(engine.path, ['import', join(root, 'image.tar'), IMAGE], { stdio: 'pipe' });
}

/** What the tests of containers run on. */
export interface TestEngine {
  readonly root: string;
  readonly engine: Engine;
  /** Names of the containers that there are. */
  names(): string[];
}

/**
 * Podman with the test's image. Where podman or busybox is missing it says so, and in CI it throws.
 * @returns undefined where the tests have to be skipped
 */
export async function startTestEngine(): Promise<TestEngine | undefined> {
  const root = mkdtempSync(join(tmpdir(), 'containers-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  configure(root);
  try {
    const engine = await findEngine('podman');
    if (BUSYBOX === undefined) throw new Error('busybox-static is not installed');
    importImage(engine, root, BUSYBOX);
    const names = (): string[] =>
      execFileSync(engine.path, ['ps', '--all', '--format', '{{.Names}}'], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean);
    return { root, engine, names };
  } catch (error) {
    if (process.env['CI']) throw error;
    process.stdout.write(`SKIPPED: no test of containers runs here: ${(error as Error).message}\n`);
    return undefined;
  }
}
