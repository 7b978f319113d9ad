import { EXIT } from '../errors/create-runner-error.js';
import { TEMPLATE_NAMES, templateOf } from '../project/templates.js';
import {
  ANSWER_NAMES,
  ANSWER_OPTIONS,
  COMMAND_NAMES,
  COMMANDS,
  CONTROL_NAMES,
  CONTROL_OPTIONS,
} from './options.js';
import type { Answers, ControlName } from './options.js';

/** The flag as it is typed to change something: a switch that is on by default shows its negation too. */
export function flagText(name: keyof Answers | ControlName): string {
  if (name in ANSWER_OPTIONS) {
    const option = ANSWER_OPTIONS[name as keyof Answers];
    return option.kind === 'switch'
      ? `--${name}, --no-${name}`
      : `--${name} ${option.placeholder ?? 'VALUE'}`;
  }
  const option = CONTROL_OPTIONS[name as ControlName];
  if ('placeholder' in option) return `--${name} ${option.placeholder}`;
  const flag = option.default ? `--no-${name}` : `--${name}`;
  return 'short' in option ? `-${option.short}, ${flag}` : flag;
}

function fallbackText(name: keyof Answers): string {
  const option = ANSWER_OPTIONS[name];
  if (option.fallbackText !== undefined) return ` (default: ${option.fallbackText})`;
  const value = option.fallback({ known: {}, startedBy: 'npm' });
  if (value === undefined) return '';
  if (typeof value === 'boolean') return ` (default: ${value ? 'yes' : 'no'})`;
  return ` (default: ${value})`;
}

const row = (flag: string, text: string): string => `  ${flag.padEnd(24)}${text}`;

/** What `--help` prints, derived from the option table. */
export function helpText(version: string): string {
  return [
    `create-runner ${version}: writes a runner that works at once.`,
    '',
    'Usage: npx create-runner NAME [options]',
    ...COMMAND_NAMES.filter((name) => name !== 'create').map(
      (name) => `       npx create-runner ${COMMANDS[name].words.padEnd(19)}${COMMANDS[name].summary}`,
    ),
    '',
    'What is asked for, unless a flag says it:',
    ...ANSWER_NAMES.map((name) =>
      row(flagText(name), `${ANSWER_OPTIONS[name].summary}${fallbackText(name)}`),
    ),
    '',
    'Templates:',
    ...TEMPLATE_NAMES.map((name) => row(name, templateOf(name).summary)),
    '',
    'How it is asked:',
    ...CONTROL_NAMES.map((name) => row(flagText(name), CONTROL_OPTIONS[name].summary)),
    '',
    'Nothing is asked where nobody can answer: without a terminal, and with CI set.',
    `Exit codes: ${EXIT.done} done, ${EXIT.failed} could not be done, ${EXIT.usage} usage, ${EXIT.conflicts} places to decide, ${EXIT.interrupted} interrupted.`,
    '',
    'Example: npx create-runner my-runner --yes && cd my-runner && npm install && npm run dev',
  ].join('\n');
}
