import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';

const hasCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/**
 * Reads a file that its owner alone may read, or makes it.
 * @param path - the file; its folder is made too
 * @param make - what to write where there is none
 */
export async function ownerFile(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error;
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const text = `${make()}\n`;
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    return text;
  } catch (error) {
    // Another process was faster.
    if (hasCode(error, 'EEXIST')) return readFile(path, 'utf8');
    throw error;
  }
}
