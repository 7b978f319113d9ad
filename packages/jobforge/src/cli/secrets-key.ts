import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { newKey, readKey } from '../access/secret-vault.js';
import { misused } from './cli-failure.js';
import { ownerFile } from './owner-file.js';

export interface KeySources {
  readonly env: NodeJS.ProcessEnv;
  /** Folder in which a key is made where none is given; undefined makes none. */
  readonly folder: string | undefined;
}

export const KEY_FILE = 'secrets.key';

async function keyFrom({ env, folder }: KeySources): Promise<{ text: string; source: string } | undefined> {
  const given = env['JOBFORGE_SECRETS_KEY'];
  if (given) return { text: given, source: 'JOBFORGE_SECRETS_KEY' };
  const file = env['JOBFORGE_SECRETS_KEY_FILE'];
  if (file) return { text: await readFile(file, 'utf8'), source: `JOBFORGE_SECRETS_KEY_FILE (${file})` };
  if (folder === undefined) return undefined;
  const own = join(folder, KEY_FILE);
  return { text: await ownerFile(own, () => newKey().toString('base64')), source: own };
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
