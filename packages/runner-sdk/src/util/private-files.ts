/** Its user alone may look into a folder, and read a file. */
export const FOLDER_MODE = 0o700;
export const FILE_MODE = 0o600;

/** How the name of a file ends that is not in its place yet. */
export const UNFINISHED = '.tmp';

/** Whether something failed because there is no such file or folder. */
export function isMissing(error: unknown): boolean {
  return error instanceof Error && Reflect.get(error, 'code') === 'ENOENT';
}
