import { DEFAULT_TEMPLATE, deliveriesOf } from '../project/templates.js';
import { ANSWER_NAMES, ANSWER_OPTIONS } from './options.js';
import type { Answers } from './options.js';
import { fallbackOf } from './resolve-answers.js';
import type { ResolveOptions } from './resolve-answers.js';

/** One question in the shape that plop's prompts take. */
export interface Question {
  readonly type: 'input' | 'confirm' | 'list';
  readonly name: keyof Answers;
  readonly message: string;
  readonly choices?: readonly string[];
  readonly default: (answered: Partial<Answers>) => Answers[keyof Answers] | undefined;
  /** Absent: always. */
  readonly when?: (answered: Partial<Answers>) => boolean;
  readonly validate?: (typed: unknown) => true | string;
}

function typeOf(name: keyof Answers): Question['type'] {
  const option = ANSWER_OPTIONS[name];
  if (option.kind === 'switch') return 'confirm';
  return option.choices === undefined ? 'input' : 'list';
}

function problemWith(name: keyof Answers, typed: unknown): true | string {
  const reading = ANSWER_OPTIONS[name].read(String(typed));
  return 'problem' in reading ? reading.problem : true;
}

const hasChoice = ({ template }: Partial<Answers>): boolean =>
  deliveriesOf(template ?? DEFAULT_TEMPLATE).length > 1;

/** The questions for what no flag answered, in order. */
export function questionsFor({ given, startedBy }: ResolveOptions): Question[] {
  return ANSWER_NAMES.filter((name) => given[name] === undefined).map((name) => {
    const { choices, question } = ANSWER_OPTIONS[name];
    return {
      type: typeOf(name),
      name,
      message: question,
      ...(choices === undefined ? {} : { choices: choices.map(String) }),
      default: (answered) => fallbackOf(name, { known: { ...given, ...answered }, startedBy }),
      ...(name === 'delivery' ? { when: (answered) => hasChoice({ ...given, ...answered }) } : {}),
      ...(typeOf(name) === 'input' ? { validate: (typed: unknown) => problemWith(name, typed) } : {}),
    };
  });
}
