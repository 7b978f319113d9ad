import type { Answers } from './options.js';
import { questionsFor } from './prompts.js';
import { completeAnswers } from './resolve-answers.js';
import type { ResolveOptions } from './resolve-answers.js';

/** Asks, through plop, for what no flag answered. */
export async function askForAnswers(options: ResolveOptions): Promise<Answers> {
  // Loaded only here: where nothing is asked, nothing is spent on it.
  const { default: nodePlop } = await import('node-plop');
  const plop = await nodePlop('');
  const asking = plop.setGenerator('answers', { prompts: questionsFor(options), actions: [] });
  const answered = (await asking.runPrompts()) as Partial<Answers>;
  const read = 'port' in answered ? { ...answered, port: Number(answered.port) } : answered;
  return completeAnswers({ ...options, given: { ...options.given, ...read } });
}
