import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MODE, FOLDER_MODE, isMissing, UNFINISHED } from './private-files.js';

const FILE = 'machine-id';

/**
 * The id in the file `machine-id` of a folder; made and put there where none is.
 * @param isUsable - whether what the file holds, trimmed, is an id; what is none is replaced
 * @throws Error when the folder can be neither read nor written
 */
export function readMachineId(directory: string, isUsable: (text: string) => boolean): string {
  const path = join(directory, FILE);
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (isUsable(kept)) return kept;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  const made = randomUUID();
  mkdirSync(directory, { recursive: true, mode: FOLDER_MODE });
  const unfinished = `${path}.${made}${UNFINISHED}`;
  writeFileSync(unfinished, made, { mode: FILE_MODE });
  renameSync(unfinished, path);
  return made;
}
