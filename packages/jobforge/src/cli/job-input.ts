import type { JsonObject } from '@controlplane/contracts';
import { misused } from './cli-failure.js';
import type { CliContext } from './cli-context.js';

/**
 * Reads a job's input from the command line.
 * @param given - JSON, `@file`, `-` for standard input, or nothing for an empty object
 */
export async function readJobInput(given: string | undefined, context: CliContext): Promise<JsonObject> {
  const source = given === '-' ? 'standard input' : given?.startsWith('@') ? given.slice(1) : 'the input';
  let value: unknown;
  try {
    value = JSON.parse(await textOf(given, context));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw misused(
      `${source} is not valid JSON: ${error.message}`,
      'Quote it for the shell, such as \'{"name":"Ada"}\', or pass @file.',
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw misused(`${source} is no JSON object: expected one such as {"name":"Ada"}.`);
  }
  return value as JsonObject;
}

async function textOf(given: string | undefined, context: CliContext): Promise<string> {
  if (given === undefined) return '{}';
  if (given === '-') return context.readStdin();
  if (!given.startsWith('@')) return given;
  const path = given.slice(1);
  try {
    return await context.readFile(path);
  } catch (error) {
    throw misused(unreadable(path, error));
  }
}

/** Why a file cannot be read, in words. */
export function unreadable(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return `the file ${path} does not exist`;
  if (code === 'EISDIR') return `${path} is a folder, not a file`;
  if (code === 'EACCES' || code === 'EPERM') return `the file ${path} may not be read by this user`;
  return `the file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
}
