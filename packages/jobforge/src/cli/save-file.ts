import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/**
 * Writes a file once all of it has come: half a one is never left, and one that is there is not written over unless
 * that is asked for.
 * @throws the file system's own error, EEXIST where there is such a file
 */
export async function saveFile(
  path: string,
  body: AsyncIterable<Uint8Array>,
  { overwrite = false }: { readonly overwrite?: boolean } = {},
): Promise<void> {
  const arriving = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    await pipeline(body, createWriteStream(arriving, { flags: 'wx' }));
    await (overwrite ? rename(arriving, path) : link(arriving, path));
  } finally {
    await rm(arriving, { force: true });
  }
}
