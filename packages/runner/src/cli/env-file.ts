import { stat, readFile } from 'node:fs/promises';
import { parseEnv } from 'node:util';

/** Bits of a mode by which others than its owner may use a file. */
const OTHERS = 0o077;

/**
 * Reads a file of `NAME=value` lines into an environment; what is set already, and not empty, stays.
 * @throws Error where there is no such file, or where others may read it
 */
export async function loadEnvFile(
  path: string,
  env: NodeJS.ProcessEnv,
  options: { readonly allowsOthers: boolean },
): Promise<void> {
  const { mode } = await stat(path);
  if ((mode & OTHERS) !== 0 && !options.allowsOthers)
    throw new Error(
      `others may use the file ${path} (mode ${(mode & 0o777).toString(8)}), and it is likely to hold secrets: chmod 600 it, or say --allow-insecure-envfile`,
    );
  for (const [name, value] of Object.entries(parseEnv(await readFile(path, 'utf8')))) {
    if (value !== undefined && !env[name]) env[name] = value;
  }
}
