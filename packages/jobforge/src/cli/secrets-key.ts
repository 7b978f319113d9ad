import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKey, readKey } from '../access/secret-vault.js';
import { misused } from './cli-failure.js';

export interface KeySources {
  readonly env: NodeJS.ProcessEnv;
  /** Folder in which a key is made where none is given; undefined makes none. */
  readonly folder: string | undefined;
}

export const KEY_FILE = 'secrets.key';

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT';

/** Reads the key file of a data folder, or makes it, readable by its owner alone. */
async function keyIn(folder: string): Promise<string> {
  const path = join(folder, KEY_FILE);
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await mkdir(folder, { recursive: true });
  const key = `${newKey().toString('base64')}\n`;
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(key);
      await file.sync();
    } finally {
      await file.close();
    }
    return key;
  } catch (error) {
    // Another process was faster.
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return readFile(path, 'utf8');
    throw error;
  }
}

async function keyFrom({ env, folder }: KeySources): Promise<{ text: string; source: string } | undefined> {
  const given = env['JOBFORGE_SECRETS_KEY'];
  if (given) return { text: given, source: 'JOBFORGE_SECRETS_KEY' };
  const file = env['JOBFORGE_SECRETS_KEY_FILE'];
  if (file) return { text: await readFile(file, 'utf8'), source: `JOBFORGE_SECRETS_KEY_FILE (${file})` };
  return folder === undefined ? undefined : { text: await keyIn(folder), source: join(folder, KEY_FILE) };
}

/**
 * The key with which secrets are stored: from JOBFORGE_SECRETS_KEY, from the file that JOBFORGE_SECRETS_KEY_FILE names,
 * else from the data folder, where one is made at the first start.
 * @returns undefined where none is given and none is to be made
 */
export async function secretsKey(sources: KeySources): Promise<string | undefined> {
  const key = await keyFrom(sources);
  if (key === undefined) return undefined;
  try {
    readKey(key.text);
  } catch (error) {
    throw misused(`${key.source}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return key.text.trim();
}
