import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { misused } from './cli-failure.js';
import { ownerFile } from './owner-file.js';

export interface AdminTokenSources {
  readonly env: NodeJS.ProcessEnv;
  /** Named on the command line. */
  readonly file: string | undefined;
  /** Folder in which a token is made where none is given; undefined where nothing is kept there. */
  readonly folder: string | undefined;
}

/** The token with which an operator begins. */
export interface AdminToken {
  readonly token: string;
  /** Where it was made, for whoever looks for it. */
  readonly madeIn?: string;
}

export const ADMIN_TOKEN_FILE = 'admin.token';

/** Reads a file that was named: what is wrong with it is the user's to mend. */
async function named(path: string, by: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw misused(
      `${by} "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/**
 * The admin token of `jobforge serve`: from the file that was named, from JOBFORGE_ADMIN_TOKEN, from the file that
 * JOBFORGE_ADMIN_TOKEN_FILE names, else from the data folder, where one is made at the first start.
 * @throws CliFailure where there is none and no folder to make one in
 */
export async function adminToken({ env, file, folder }: AdminTokenSources): Promise<AdminToken> {
  if (file !== undefined) return { token: (await named(file, '--admin-token-file')).trim() };
  const given = env['JOBFORGE_ADMIN_TOKEN'];
  if (given) return { token: given };
  const mounted = env['JOBFORGE_ADMIN_TOKEN_FILE'];
  if (mounted) return { token: (await named(mounted, 'JOBFORGE_ADMIN_TOKEN_FILE')).trim() };
  if (folder === undefined)
    throw misused(
      'There is no data folder to make an admin token in, and nobody could get in without one: set JOBFORGE_ADMIN_TOKEN, to 32 characters or more that nobody guesses, or name a file that holds it with --admin-token-file.',
    );
  const path = join(folder, ADMIN_TOKEN_FILE);
  const token = await ownerFile(path, () => randomBytes(32).toString('base64url'));
  return { token: token.trim(), madeIn: path };
}
