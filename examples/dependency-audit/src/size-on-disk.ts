import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Bytes of the files in a package's folder, without the packages nested in it. Links are not followed.
 * @param counted - files seen already, as `device:inode`: pnpm installs one file in several places as hard links, and
 * it takes up its space once
 */
export async function sizeOnDisk(dir: string, counted: Set<string>, signal?: AbortSignal): Promise<number> {
  signal?.throwIfAborted();
  let bytes = 0;
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory() && entry.name !== 'node_modules')
      bytes += await sizeOnDisk(path, counted, signal);
    if (!entry.isFile()) continue;
    const { dev, ino, size } = await lstat(path);
    const identity = `${dev}:${ino}`;
    if (!counted.has(identity)) bytes += size;
    counted.add(identity);
  }
  return bytes;
}
