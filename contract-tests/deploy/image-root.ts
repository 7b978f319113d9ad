import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Podman } from './podman.js';

/** An image that is made of what this machine has, for no image can be pulled where the tests run. */
export interface ImageOfThisMachine {
  /** What the Dockerfile under test starts from. */
  readonly name: string;
  /** Fills the root folder, which has a shell. */
  readonly fill: (root: string) => void;
  /** Variables of the image. */
  readonly env: Readonly<Record<string, string>>;
}

/** Where this machine has a program, itself and no link. */
export const found = (program: string): string =>
  realpathSync(execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim());

/** The libraries that a program is linked to. */
function librariesOf(program: string): string[] {
  const listed = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...listed.matchAll(/(\/\S+) \(0x/g)].map(([, path = '']) => path);
}

/** Copies the libraries of a program or library to where they are on this machine. */
export function copyLibraries(root: string, program: string): void {
  for (const library of librariesOf(program)) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    cpSync(library, join(root, library), { dereference: true });
  }
}

/** Makes the image. */
export async function importImage(podman: Podman, { name, fill, env }: ImageOfThisMachine): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'image-root-'));
  // Whoever runs in it has to get into its root.
  chmodSync(root, 0o755);
  try {
    for (const folder of ['bin', 'etc', 'root', 'tmp', 'usr/bin'])
      mkdirSync(join(root, folder), { recursive: true });
    chmodSync(join(root, 'tmp'), 0o1777);
    cpSync(found('busybox'), join(root, 'bin/busybox'));
    for (const applet of ['sh', 'mkdir', 'chown', 'cat', 'env'])
      symlinkSync('busybox', join(root, 'bin', applet));
    symlinkSync('/bin/env', join(root, 'usr/bin/env'));
    fill(root);
    const changes = Object.entries(env).flatMap(([key, value]) => ['--change', `ENV ${key}=${value}`]);
    await podman.importFolder(root, changes, name);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
