import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Podman } from './podman.js';

/** Makes an image of busybox alone by the name of one that cannot be pulled where the tests run. */
export async function importBusyboxImage(podman: Podman, name: string): Promise<void> {
  const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((file) => existsSync(file));
  if (busybox === undefined) throw new Error('busybox-static is not installed');
  const root = mkdtempSync(join(tmpdir(), 'busybox-image-'));
  try {
    for (const folder of ['bin', 'tmp', 'job']) mkdirSync(join(root, folder));
    copyFileSync(busybox, join(root, 'bin/busybox'));
    for (const applet of ['sh', 'cat', 'echo', 'sleep']) symlinkSync('busybox', join(root, 'bin', applet));
    await podman.importFolder(root, [], name);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
