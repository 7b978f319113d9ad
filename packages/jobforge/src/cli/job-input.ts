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
  try {
    return await context.readFile(given.slice(1));
  } catch (error) {
    throw misused(
      `${given.slice(1)} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}
