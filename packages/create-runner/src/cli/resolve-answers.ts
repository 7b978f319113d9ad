import { usageError } from '../errors/create-runner-error.js';
import { deliveriesOf } from '../project/templates.js';
import { ANSWER_NAMES, ANSWER_OPTIONS } from './options.js';
import type { AnswerOption, Answers, DefaultsContext, PackageManager } from './options.js';

export interface ResolveOptions {
  readonly given: Partial<Answers>;
  readonly startedBy: PackageManager;
}

/** The default of an answer, given those that are known. */
export function fallbackOf(
  name: keyof Answers,
  context: DefaultsContext,
): Answers[keyof Answers] | undefined {
  const option: AnswerOption<never> | AnswerOption<Answers[keyof Answers]> = ANSWER_OPTIONS[name];
  return option.fallback(context);
}

/** Refuses answers that do not fit one another. */
function checked(answers: Answers): Answers {
  const { template, delivery } = answers;
  const possible = deliveriesOf(template);
  if (possible.includes(delivery)) return answers;
  throw usageError(
    `--delivery: a runner of the template ${template} cannot take jobs by ${delivery}. Use ${possible.join(', ')}, or another template.`,
    '--delivery',
  );
}

/** Completes what was given by the defaults. A value that has none is a usage error that names its flag. */
export function completeAnswers({ given, startedBy }: ResolveOptions): Answers {
  let known: Partial<Answers> = given;
  for (const name of ANSWER_NAMES) {
    const value = known[name] ?? fallbackOf(name, { known, startedBy });
    if (value === undefined) {
      throw usageError(
        `A value for --${name} is needed: nobody can be asked here. Example: npx create-runner my-runner --yes`,
        `--${name}`,
      );
    }
    known = { ...known, [name]: value };
  }
  return checked(known as Answers);
}
