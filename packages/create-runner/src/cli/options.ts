/**
 * @module
 * cli/ talks with the person: options, help, prompts, report. Every option stands once, in this file; help, flags,
 * prompts and defaults are derived from it. May import every other room.
 */
import { problemWithName, slugOf } from '../naming/runner-name.js';
import type { ProjectAnswers } from '../project/project-data.js';
import { DEFAULT_TEMPLATE, DELIVERIES, TEMPLATE_NAMES, templateOf } from '../project/templates.js';

export const PACKAGE_MANAGERS = ['npm', 'pnpm', 'yarn', 'bun'] as const satisfies ProjectAnswers['pm'][];
export type PackageManager = ProjectAnswers['pm'];

/** Everything that the person decides. */
export interface Answers extends ProjectAnswers {
  /** As typed: relative to the current folder, or absolute. */
  readonly dir: string;
  readonly install: boolean;
  readonly git: boolean;
}

/** What a default may depend on. */
export interface DefaultsContext {
  /** Answers given so far. */
  readonly known: Partial<Answers>;
  /** The package manager that started this command. */
  readonly startedBy: PackageManager;
}

/** A text read as a value, or why it cannot be. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

interface OptionText {
  /** For `--help`, one line. */
  readonly summary: string;
  readonly short?: string;
}

/** An option that a prompt asks for and a flag answers. */
export interface AnswerOption<T> extends OptionText {
  readonly kind: T extends boolean ? 'switch' : 'value';
  readonly question: string;
  /** What `--help` shows for the value. */
  readonly placeholder?: string;
  readonly choices?: readonly T[];
  /** undefined: there is none, the person has to say. */
  readonly fallback: (context: DefaultsContext) => T | undefined;
  /** As `--help` words the default, where it depends on something. */
  readonly fallbackText?: string;
  readonly read: (typed: string) => Reading<T>;
}

const ONE_LINE_LIMIT = 200;

function readName(typed: string): Reading<string> {
  const problem = problemWithName(typed);
  if (problem === undefined) return { value: typed };
  return { problem: `"${typed}" is not a runner's name: ${problem}. Try ${slugOf(typed)}` };
}

function readDirectory(typed: string): Reading<string> {
  if (typed.trim() === '') return { problem: 'a folder is needed, such as ./my-runner' };
  if (typed.includes('\0')) return { problem: 'the folder holds a NUL character' };
  return { value: typed };
}

function readDescription(typed: string): Reading<string> {
  // Control characters would break out of the one line that it is given in README.md and package.json.
  if (/\p{Cc}/u.test(typed)) return { problem: 'the description has to be one line of text' };
  if (typed.length > ONE_LINE_LIMIT)
    return {
      problem: `the description has ${typed.length} characters, ${ONE_LINE_LIMIT} at most are allowed`,
    };
  return { value: typed.trim() };
}

function readPort(typed: string): Reading<number> {
  const port = /^\d{1,5}$/.test(typed) ? Number(typed) : Number.NaN;
  return port >= 1 && port <= 65_535
    ? { value: port }
    : { problem: `"${typed}" is not a port: use a number from 1 to 65535` };
}

/** Reads one of a few names. */
function oneOf<T extends string>(names: readonly T[], what: string): (typed: string) => Reading<T> {
  return (typed) => {
    const found = names.find((name) => name === typed);
    return found
      ? { value: found }
      : { problem: `"${typed}" is not ${what} known here: use ${names.join(', ')}` };
  };
}

function readSwitch(typed: string): Reading<boolean> {
  return { value: typed === 'true' };
}

/** What is asked for, in the order in which it is asked. */
export const ANSWER_OPTIONS: { readonly [Name in keyof Answers]: AnswerOption<Answers[Name]> } = {
  name: {
    kind: 'value',
    question: 'Name of the runner',
    summary: 'name of the runner; the same as the first argument',
    placeholder: 'NAME',
    fallback: () => undefined,
    read: readName,
  },
  dir: {
    kind: 'value',
    question: 'Folder',
    summary: 'folder to create it in',
    placeholder: 'PATH',
    fallback: ({ known }) => (known.name === undefined ? undefined : `./${known.name}`),
    fallbackText: './NAME',
    read: readDirectory,
  },
  template: {
    kind: 'value',
    question: 'Template',
    summary: `what it is made from; listed below`,
    placeholder: 'NAME',
    choices: TEMPLATE_NAMES,
    fallback: () => DEFAULT_TEMPLATE,
    read: oneOf(TEMPLATE_NAMES, 'a template'),
  },
  delivery: {
    kind: 'value',
    question: 'How jobs reach it',
    summary: `how jobs reach it: ${DELIVERIES.join(', ')}`,
    placeholder: 'KIND',
    choices: DELIVERIES,
    fallback: ({ known }) => templateOf(known.template ?? DEFAULT_TEMPLATE).delivery,
    fallbackText: 'that of the template',
    read: oneOf(DELIVERIES, 'a delivery'),
  },
  description: {
    kind: 'value',
    question: 'What it does, in one line',
    summary: 'what it does, in one line',
    placeholder: 'TEXT',
    fallback: ({ known }) => templateOf(known.template ?? DEFAULT_TEMPLATE).description,
    fallbackText: 'that of the template',
    read: readDescription,
  },
  port: {
    kind: 'value',
    question: 'Port that it listens on',
    summary: 'port that it listens on',
    placeholder: 'NUMBER',
    fallback: () => 3000,
    read: readPort,
  },
  pm: {
    kind: 'value',
    question: 'Package manager',
    summary: `package manager: ${PACKAGE_MANAGERS.join(', ')}`,
    placeholder: 'NAME',
    choices: PACKAGE_MANAGERS,
    fallback: ({ startedBy }) => startedBy,
    fallbackText: 'the one that runs this',
    read: oneOf(PACKAGE_MANAGERS, 'a package manager'),
  },
  install: {
    kind: 'switch',
    question: 'Install the packages now? (needs the network)',
    summary: 'install the packages now; needs the network',
    fallback: () => false,
    read: readSwitch,
  },
  git: {
    kind: 'switch',
    question: 'Start a git repository?',
    summary: 'start a git repository, unless inside one',
    fallback: () => true,
    read: readSwitch,
  },
};

/** Of the answers, what stays with the project. */
export function projectAnswers(answers: Answers): ProjectAnswers {
  const { name, description, template, delivery, port, pm } = answers;
  return { name, description, template, delivery, port, pm };
}

export const ANSWER_NAMES = Object.keys(ANSWER_OPTIONS) as (keyof Answers)[];

/** An option about the conversation itself; nothing asks for it. */
export interface ControlOption extends OptionText {
  /** What it is when the flag is absent. */
  readonly default: boolean | undefined;
  /** What `--help` shows for the value of one that has a value. */
  readonly placeholder?: string;
}

export const CONTROL_OPTIONS = {
  yes: { short: 'y', default: false, summary: 'ask nothing, take the defaults' },
  interactive: { default: true, summary: 'ask nothing; the same as --yes' },
  force: { default: false, summary: 'replace files of the same name in a folder that is not empty' },
  packages: {
    default: undefined,
    placeholder: 'DIR',
    summary: 'take the @controlplane packages from the tarballs in DIR, as pnpm pack made them',
  },
  add: { default: false, summary: 'add a runner to an express application' },
  'dry-run': { default: false, summary: 'with upgrade: only say what it would do' },
  json: { default: false, summary: 'ask nothing, print one JSON object: {created, files, next}' },
  help: { short: 'h', default: false, summary: 'show this' },
  version: { short: 'v', default: false, summary: 'show the version' },
} as const satisfies Record<string, ControlOption>;

export type ControlName = keyof typeof CONTROL_OPTIONS;
export type Controls = { readonly [Name in Exclude<ControlName, 'packages'>]: boolean } & {
  readonly packages: string | undefined;
};

export const CONTROL_NAMES = Object.keys(CONTROL_OPTIONS) as ControlName[];

/** What the command does. `create` has no word of its own: a name stands in its place. */
export const COMMANDS = {
  create: { words: 'NAME', summary: 'writes a runner', flags: undefined },
  upgrade: {
    words: 'upgrade',
    summary: 'brings a project up to its template; keeps what you changed',
    flags: ['dir', 'packages', 'dry-run', 'yes', 'interactive', 'json', 'help', 'version'],
  },
  'add runner': {
    words: '--add',
    summary: 'adds a runner to the express application here, or in --dir',
    flags: ['add', 'name', 'dir', 'port', 'pm', 'packages', 'yes', 'interactive', 'json', 'help', 'version'],
  },
  'add capability': {
    words: 'add capability ID',
    summary: 'writes another capability with its test, such as image.resize',
    flags: ['dir', 'yes', 'interactive', 'json', 'help', 'version'],
  },
} as const satisfies Record<string, CommandOption>;

interface CommandOption {
  readonly words: string;
  readonly summary: string;
  /** undefined: all, but for those that only another command knows. */
  readonly flags: readonly (keyof Answers | ControlName)[] | undefined;
}

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as CommandName[];
