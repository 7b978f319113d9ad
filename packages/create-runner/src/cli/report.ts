import type { CreateRunnerError } from '../errors/create-runner-error.js';
import { templateOf } from '../project/templates.js';
import type { Answers } from './options.js';

/** What `--json` prints after a project was created. */
export interface CreatedReport {
  /** The project's folder, absolute. */
  readonly created: string;
  /** Relative to it, with `/`. */
  readonly files: readonly string[];
  /** Commands to type, in order. */
  readonly next: readonly string[];
}

/** What `--json` prints when none was. */
export interface FailedReport {
  readonly created: null;
  readonly files: readonly [];
  readonly next: readonly [];
  readonly error: { readonly message: string; readonly flag?: string };
}

export function failedReport(error: CreateRunnerError): FailedReport {
  const flag = error.flag === undefined ? {} : { flag: error.flag };
  return { created: null, files: [], next: [], error: { message: error.message, ...flag } };
}

/** The three lines that a person reads. All but the last command are one line to copy. */
export function createdText(
  report: CreatedReport,
  options: { readonly answers: Answers; readonly elapsedMs: number },
): string {
  const start = report.next.slice(0, -1).join(' && ');
  const { name, template, delivery } = options.answers;
  const kind = `${templateOf(template).language}, ${delivery}`;
  return `✔ Created ${name} (${kind}) in ${(options.elapsedMs / 1000).toFixed(1)} s\n  ${start}`;
}
