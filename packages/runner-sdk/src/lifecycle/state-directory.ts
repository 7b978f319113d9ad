import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { Identifier } from '@controlplane/contracts';
import { RunnerError } from '../errors/runner-error.js';
import type { StateFiles } from '../hosts/state-files.js';
import { readMachineId } from '../util/machine-id.js';
import { FILE_MODE, FOLDER_MODE, isMissing, UNFINISHED } from '../util/private-files.js';
import { sayThrown } from '../util/safe-json.js';

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

/**
 * The identity of this machine for a runner that dials in: the one kept in its state directory, made there when
 * there is none; without a directory the name of the host.
 * @throws RunnerError `INVALID_OPTION` when the directory cannot be used
 */
export function machineIdOf(directory: string | undefined): string {
  if (directory === undefined)
    return (
      hostname()
        .replaceAll(/[^A-Za-z0-9._:-]/g, '-')
        .slice(0, 128) || 'localhost'
    );
  try {
    return readMachineId(directory, (text) => Identifier.safeParse(text).success);
  } catch (error) {
    throw new RunnerError(
      'INVALID_OPTION',
      `the state directory "${directory}" cannot be used: ${sayThrown(error)}. Set option "stateDirectory" or environment variable RUNNER_STATE_DIR to a folder that this user may write.`,
      { cause: error },
    );
  }
}
