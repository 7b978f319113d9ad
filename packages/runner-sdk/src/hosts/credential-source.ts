import { readFile } from 'node:fs/promises';
import { sayThrown } from '../util/safe-json.js';

/**
 * What a runner proves itself with: an enrollment token or a runner secret. The text itself; a file that is read
 * again at each registration and reconnect; or a function that is asked each time.
 */
export type CredentialSource = string | { readonly file: string } | (() => string | Promise<string>);

/** The credential that a variable holds, or the file that the variable of the same name and `_FILE` names. */
export function credentialFrom(
  environment: NodeJS.ProcessEnv,
  variable: string,
): CredentialSource | undefined {
  const { [variable]: text, [`${variable}_FILE`]: file } = environment;
  if (text) return text;
  return file ? { file } : undefined;
}

/** Whether it can stand in a header: what cannot be sent would be quoted by the error of whoever tries. */
export const isSendable = (token: string): boolean => !/[^\x21-\x7e]/.test(token);

export const MALFORMED = 'a space, a line break or a character beyond ASCII, which no credential has';

/** @param from - where the credential is from, in words: the message holds nothing of it */
export function checkSendable(given: string | undefined, from: string): string | undefined {
  const token = given?.trim();
  if (token === undefined || isSendable(token)) return token;
  throw new Error(`${from} holds ${MALFORMED}; give the credential alone, on one line`);
}

/**
 * Reads a credential, anew each time.
 * @param option - the name of the option that it was given by
 * @throws Error when the file or function that it comes from fails; the message holds nothing of it
 */
export async function readSource(
  source: CredentialSource | undefined,
  option = 'credential',
): Promise<string | undefined> {
  const from = `option "${option}"`;
  if (source === undefined || typeof source === 'string') return checkSendable(source, from);
  if (typeof source === 'function') {
    let given: string | undefined;
    try {
      given = await source();
    } catch (error) {
      throw new Error(`${from}: the function failed: ${sayThrown(error)}`, { cause: error });
    }
    return checkSendable(given, `${from}: what the function returned`);
  }
  return checkSendable(await readCredentialFile(source, option), `the ${option}'s file ${source.file}`);
}

async function readCredentialFile(source: { readonly file: string }, option: string): Promise<string> {
  try {
    return await readFile(source.file, 'utf8');
  } catch (error) {
    throw new Error(`the ${option}'s file ${source.file} cannot be read: ${sayThrown(error)}`, {
      cause: error,
    });
  }
}
