import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';

/** Writes what comes to a path once all of it has come; half of it is never left. */
export async function saveStream(path: string, body: AsyncIterable<Uint8Array>): Promise<void> {
  const arriving = `${path}.${randomUUID().slice(0, 8)}.part`;
  try {
    await pipeline(body, createWriteStream(arriving, { flags: 'wx', mode: 0o600 }));
    await rename(arriving, path);
  } catch (error) {
    await rm(arriving, { force: true });
    throw error;
  }
}
