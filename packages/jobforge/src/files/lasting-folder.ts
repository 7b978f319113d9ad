import { mkdir, open } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** What opening or syncing a folder fails with where that cannot be: on Windows, and over some networks. */
const CANNOT = new Set<unknown>(['EPERM', 'EISDIR', 'EINVAL', 'ENOTSUP']);

/** Has the names in a folder outlast a loss of power, where the file system can be told. */
export async function syncFolder(path: string): Promise<void> {
  let folder;
  try {
    folder = await open(path);
    await folder.sync();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && CANNOT.has(error.code))) throw error;
  } finally {
    await folder?.close();
  }
}

/** Makes a folder, and those above it, so that they outlast a loss of power. */
export async function makeFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 });
  if (made === undefined) return;
  const [last, first] = [resolve(path), resolve(made)];
  for (let folder = last; folder.length >= first.length; folder = dirname(folder))
    await syncFolder(dirname(folder));
}
