import type { z } from 'zod';
import { RunnerError } from '../errors/runner-error.js';

/** One thing that an option or the environment says. */
export interface Setting {
  /** Of the option. */
  readonly name: string;
  /** Environment variables that say it in place of the option; the first that is set counts. */
  readonly variables: readonly string[];
  readonly schema: z.ZodType;
  readonly fallback: unknown;
  /** Reads a variable's text where it is not the value itself. */
  readonly split?: ((text: string) => unknown) | undefined;
}

/** Settings by the names of their options. */
export type Settings<Name extends string> = Readonly<Record<Name, Omit<Setting, 'name'>>>;

/** What each of the settings comes to. */
export type Resolved<Table extends Settings<string>> = {
  readonly [Name in keyof Table]: z.output<Table[Name]['schema']>;
};

/** The words of a text between commas. */
export const splitWords = (text: string): string[] =>
  text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');

/** The pairs of a text such as `a=1,b=2`; the text itself where it is none of pairs. */
export function splitPairs(text: string): Record<string, string> | string {
  const entries = splitWords(text).map(
    (pair) =>
      /^([^=]*)=(.*)$/s
        .exec(pair)
        ?.slice(1)
        .map((part) => part.trim()) ?? [],
  );
  return entries.every(([key]) => Boolean(key))
    ? (Object.fromEntries(entries) as Record<string, string>)
    : text;
}

const environmentOf = (variables: readonly string[]): string[] =>
  variables.length === 0 ? [] : [`environment variable ${variables.join(' or ')}`];

/**
 * What an option comes to: as given, else from the environment, else its default. An empty variable counts as none.
 * @throws RunnerError `INVALID_OPTION` that names option and variables
 */
function resolveSetting(
  { name, variables, schema, fallback, split }: Setting,
  given: unknown,
  environment: NodeJS.ProcessEnv,
): unknown {
  const variable = variables.find((one) => Boolean(environment[one]));
  const text = variable === undefined ? undefined : environment[variable];
  const isFromEnvironment = given === undefined && text !== undefined;
  const fromEnvironment = isFromEnvironment && split ? split(text) : text;
  const value = isFromEnvironment ? fromEnvironment : (given ?? fallback);
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problem = parsed.error.issues[0]?.message ?? 'not usable';
  const place = isFromEnvironment ? `environment variable ${variable}` : `option "${name}"`;
  const shown = value === undefined ? 'not set' : JSON.stringify(value);
  throw new RunnerError(
    'INVALID_OPTION',
    `${place} is ${shown}: ${problem}. Set ${[`option "${name}"`, ...environmentOf(variables)].join(' or ')}.`,
  );
}

/**
 * What the options of a table come to.
 * @throws RunnerError `INVALID_OPTION` that names option and variables
 */
export function resolveSettings<Table extends Settings<string>>(
  table: Table,
  options: Readonly<Partial<Record<keyof Table, unknown>>>,
  environment: NodeJS.ProcessEnv,
): Resolved<Table> {
  const resolved = Object.entries(table).map(([name, setting]): [string, unknown] => [
    name,
    resolveSetting({ name, ...setting }, options[name], environment),
  ]);
  return Object.fromEntries(resolved) as Resolved<Table>;
}
