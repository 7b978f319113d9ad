import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';

/** A file of this machine that can be read more than once. */
export interface LocalFile {
  readonly bytes: number;
  read(): AsyncIterable<Uint8Array>;
}

/** @throws the file system's own error, EISDIR for a folder */
export async function openLocalFile(path: string): Promise<LocalFile> {
  const found = await stat(path);
  if (found.isDirectory()) throw Object.assign(new Error(`${path} is a folder`), { code: 'EISDIR' });
  return { bytes: found.size, read: () => createReadStream(path) as AsyncIterable<Buffer> };
}
