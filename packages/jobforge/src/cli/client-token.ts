import type { CliContext } from './cli-context.js';
import { misused } from './cli-failure.js';

/** The credential that goes with each request, read anew each time: files of tokens are replaced while one watches. */
export type TokenSource = () => Promise<string | undefined>;

/** What a header can carry. */
const SENDABLE = /^[\x21-\x7e]+$/;

function checked(token: string, source: string): string {
  // What was given is not repeated: it is meant to be secret.
  if (SENDABLE.test(token)) return token;
  throw misused(
    token === ''
      ? `${source} is empty: it should hold a token, on one line.`
      : `${source} is no token: it has spaces, line breaks or characters that no header can carry.`,
  );
}

/** Where a command finds its token: `--token-file`, else JOBFORGE_TOKEN, else the file that JOBFORGE_TOKEN_FILE names. */
export function tokenSource(
  { env, readFile }: Pick<CliContext, 'env' | 'readFile'>,
  tokenFile: string | undefined,
): TokenSource {
  const given = tokenFile === undefined ? env['JOBFORGE_TOKEN'] : undefined;
  if (given) return async () => checked(given.trim(), 'JOBFORGE_TOKEN');
  const path = tokenFile ?? env['JOBFORGE_TOKEN_FILE'];
  if (path === undefined || path === '') return async () => undefined;
  const source = `${tokenFile === undefined ? 'JOBFORGE_TOKEN_FILE' : '--token-file'} "${path}"`;
  return async () => {
    const text = await readFile(path).catch((error: unknown) => {
      throw misused(`${source} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
    });
    return checked(text.trim(), source);
  };
}
