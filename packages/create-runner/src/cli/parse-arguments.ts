import { basename, sep } from 'node:path';
import { parseArgs } from 'node:util';
import { usageError } from '../errors/create-runner-error.js';
import { problemWithName, slugOf } from '../naming/runner-name.js';
import { quoted } from './commands-to-type.js';
import { ANSWER_NAMES, ANSWER_OPTIONS, COMMANDS, CONTROL_NAMES, CONTROL_OPTIONS } from './options.js';
import type { Answers, CommandName, Controls } from './options.js';

export interface CommandLine {
  readonly command: CommandName;
  /** With `add capability`. */
  readonly capability?: string;
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

function nameTyped(
  positionals: readonly string[],
  values: Readonly<Record<string, unknown>>,
): { readonly name: string | undefined; readonly dir?: string } {
  const name = nameFrom(positionals, values['name']);
  return positionals.length > 0 ? nameAndFolder(name, values['dir']) : { name };
}

interface Words {
  readonly command: CommandName;
  /** What is left for the command. */
  readonly rest: readonly string[];
}

/** Which command the words without a flag name. A runner of such a name is made with --name. */
function commandOf(positionals: readonly string[], isAddition: boolean): Words {
  const [first, second] = positionals;
  if (isAddition) return { command: 'add runner', rest: positionals };
  if (first === 'upgrade') return { command: 'upgrade', rest: positionals.slice(1) };
  if (first !== 'add') return { command: 'create', rest: positionals };
  if (second === 'capability') return { command: 'add capability', rest: positionals.slice(2) };
  throw usageError('What is to be added? create-runner add capability ID, with an ID such as image.resize.');
}

/** Flags that one command has and another has not. */
function refuseFlags(command: CommandName, values: Readonly<Record<string, unknown>>): void {
  const flags: readonly string[] | undefined = COMMANDS[command].flags;
  const isKnown = (name: string): boolean =>
    flags ? flags.includes(name) : name !== 'dry-run' && name !== 'add';
  const stranger = Object.keys(values).find((name) => values[name] !== undefined && !isKnown(name));
  if (stranger === undefined) return;
  throw usageError(
    `--${stranger} has no meaning for "create-runner ${COMMANDS[command].words}". Leave it away.`,
    `--${stranger}`,
  );
}

const takesName = (command: CommandName): boolean => command === 'create' || command === 'add runner';

function refuseWords({ command, rest }: Words): void {
  const wanted = command === 'upgrade' ? 0 : 1;
  if (rest.length === wanted) return;
  const usage = `create-runner ${COMMANDS[command].words}`;
  const [stranger] = rest.slice(wanted);
  throw usageError(
    stranger === undefined
      ? `The id of the capability is missing. ${usage}, such as create-runner add capability image.resize.`
      : `"${stranger}" is one argument too many: ${usage}.`,
  );
}

/** What the command line says, checked. Throws a usage error (exit code 2) that names the flag. */
export function parseArguments(argv: readonly string[]): CommandLine {
  const { values, positionals } = split(argv);
  const words = commandOf(positionals, values['add'] === true);
  refuseFlags(words.command, values);
  const isAsked = values['help'] === true || values['version'] === true;
  if (!takesName(words.command) && !isAsked) refuseWords(words);
  const typed = { ...values, ...(takesName(words.command) ? nameTyped(words.rest, values) : {}) };
  const given = ANSWER_NAMES.flatMap((name) => {
    const value = (typed as Record<string, string | boolean | undefined>)[name];
    return value === undefined ? [] : [[name, readAnswer(name, String(value))] as const];
  });
  const controls = CONTROL_NAMES.map((name) => [name, values[name] ?? CONTROL_OPTIONS[name].default]);
  return {
    command: words.command,
    ...(words.command === 'add capability' && words.rest[0] !== undefined
      ? { capability: words.rest[0] }
      : {}),
    given: Object.fromEntries(given) as Partial<Answers>,
    controls: Object.fromEntries(controls) as Controls,
  };
}
