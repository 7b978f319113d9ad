import { basename, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { usageError } from '../errors/create-runner-error.js';
import { problemWithName, slugOf } from '../naming/runner-name.js';
import { quoted } from './commands-to-type.js';
import { ANSWER_NAMES, ANSWER_OPTIONS, CONTROL_NAMES, CONTROL_OPTIONS } from './options.js';
import type { Answers, Controls } from './options.js';

export interface CommandLine {
  /** What the flags answered; the rest is asked for or defaulted. */
  readonly given: Partial<Answers>;
  readonly controls: Controls;
}

interface FlagShape {
  type: 'string' | 'boolean';
  short?: string;
}

function flagShapes(): Record<string, FlagShape> {
  const answers = ANSWER_NAMES.map((name): [string, FlagShape] => [
    name,
    { type: ANSWER_OPTIONS[name].kind === 'switch' ? 'boolean' : 'string' },
  ]);
  const controls = CONTROL_NAMES.map((name): [string, FlagShape] => {
    const option = CONTROL_OPTIONS[name];
    if ('placeholder' in option) return [name, { type: 'string' }];
    return [name, 'short' in option ? { type: 'boolean', short: option.short } : { type: 'boolean' }];
  });
  return Object.fromEntries([...answers, ...controls]);
}

/** Reads a text as the value of an answer; a text that cannot be one is a usage error that names the flag. */
export function readAnswer<Name extends keyof Answers>(name: Name, typed: string): Answers[Name] {
  const reading = ANSWER_OPTIONS[name].read(typed);
  if ('value' in reading) return reading.value;
  throw usageError(`--${name}: ${reading.problem}.`, `--${name}`);
}

function split(argv: readonly string[]): ReturnType<typeof parseArgs> {
  try {
    return parseArgs({
      // `npm create runner -- x` and its cousins leave `--` behind, sometimes twice; no value of ours is one.
      args: argv.filter((argument) => argument !== '--'),
      options: flagShapes(),
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    });
  } catch (error) {
    const said = error instanceof Error ? error.message.split(/\.(?:\s|$)/)[0] : String(error);
    throw usageError(`${said}. create-runner --help lists every option.`);
  }
}

function nameFrom(positionals: readonly string[], flag: unknown): string | undefined {
  const [first, second] = positionals;
  if (second !== undefined) {
    throw usageError(
      `"${second}" is one argument too many: only the runner's name stands without a flag.`,
      '--name',
    );
  }
  if (first !== undefined && typeof flag === 'string' && flag !== first) {
    throw usageError(`Two names were given, "${first}" and --name "${flag}": leave one away.`, '--name');
  }
  return first ?? (typeof flag === 'string' ? flag : undefined);
}

/** `NAME`, or a path whose last part is the name. */
function nameAndFolder(
  typed: string | undefined,
  dir: unknown,
): { readonly name: string | undefined; readonly dir?: string } {
  // A name with a scope is no path.
  if (typed === undefined || typed.startsWith('@') || !(typed.includes('/') || typed.includes(sep)))
    return { name: typed };
  const name = basename(typed);
  const problem = problemWithName(name);
  const remedy = `Try ${slugOf(name)} --dir ${quoted(typeof dir === 'string' ? dir : typed)}.`;
  if (problem !== undefined)
    throw usageError(`--name: "${typed}" does not end in a runner's name: ${problem}. ${remedy}`, '--name');
  if (typeof dir === 'string')
    throw usageError(`Two folders were given, "${typed}" and --dir "${dir}". ${remedy}`, '--dir');
  return { name, dir: typed };
}

/** What the command line says, checked. Throws a usage error (exit code 2) that names the flag. */
export function parseArguments(argv: readonly string[]): CommandLine {
  const { values, positionals } = split(argv);
  const name = nameFrom(positionals, values['name']);
  const typed = { ...values, ...(positionals.length > 0 ? nameAndFolder(name, values['dir']) : { name }) };
  const given = ANSWER_NAMES.flatMap((name) => {
    const value = (typed as Record<string, string | boolean | undefined>)[name];
    return value === undefined ? [] : [[name, readAnswer(name, String(value))] as const];
  });
  const controls = CONTROL_NAMES.map((name) => [name, values[name] ?? CONTROL_OPTIONS[name].default]);
  return {
    given: Object.fromEntries(given) as Partial<Answers>,
    controls: Object.fromEntries(controls) as Controls,
  };
}
