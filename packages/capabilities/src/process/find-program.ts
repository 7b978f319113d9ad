import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

/**
 * Finds a program as a shell would.
 * @param name - a name that is looked for in `path`, or a path from `cwd` on
 * @returns its absolute path, or undefined where there is none that may be executed
 */
export async function findProgram(
  name: string,
  { path, cwd }: { readonly path: string; readonly cwd: string },
): Promise<string | undefined> {
  const places = name.includes('/') ? [''] : path.split(delimiter).filter((place) => place !== '');
  for (const place of places) {
    const file = resolve(cwd, place, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}
