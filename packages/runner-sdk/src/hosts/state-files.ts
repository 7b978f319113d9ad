import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { FILE_MODE, FOLDER_MODE, isMissing, UNFINISHED } from '../util/private-files.js';

/** Small files that outlive the process, readable by its user alone. Names are paths of plain words. */
export interface StateFiles {
  /** The text of a file; undefined when there is none. */
  read(name: string): Promise<string | undefined>;
  /** Puts a whole file in the place of another at once: a reader sees the old text or the new one. */
  write(name: string, text: string): Promise<void>;
  /** Takes a file away; nothing happens when there is none. */
  remove(name: string): Promise<void>;
  /** The names of the files in a folder, in order; none when it does not exist. */
  list(folder: string): Promise<string[]>;
}

/**
 * Files in a folder that is made when something is first written to it. A file is written beside the one that it
 * replaces, flushed to the disk and put in its place, so that a crash leaves the old text or the new one.
 * @param directory - where they are
 */
export function createStateFiles(directory: string): StateFiles {
  return {
    async read(name) {
      try {
        return await readFile(join(directory, name), 'utf8');
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async write(name, text) {
      const path = join(directory, name);
      const unfinished = `${path}.${randomUUID()}${UNFINISHED}`;
      await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
      const file = await open(unfinished, 'wx', FILE_MODE);
      try {
        await file.writeFile(text);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(unfinished, path);
    },
    remove: (name) => rm(join(directory, name), { force: true }),
    async list(folder) {
      try {
        const names = await readdir(join(directory, folder));
        return names.filter((name) => !name.endsWith(UNFINISHED)).sort();
      } catch (error) {
        if (isMissing(error)) return [];
        throw error;
      }
    },
  };
}

/** A short name for a control plane in the state directory. */
export function fileNameOf(controlPlaneUrl: string): string {
  return createHash('sha256').update(controlPlaneUrl.replace(/\/+$/, '')).digest('hex').slice(0, 16);
}
