import type { ProjectAnswers } from './project-data.js';

/** Kept in the project, so that it can be brought up to a later version of its template. */
export const ORIGIN_FILE = '.create-runner.json';

/** What a project was made from. */
export interface Origin {
  /** Of create-runner. */
  readonly version: string;
  readonly answers: ProjectAnswers;
  /** Each file as the template had it: what is different by now, a person changed. */
  readonly files: Readonly<Record<string, string>>;
}

export function originText(origin: Origin): string {
  return `${JSON.stringify(origin, null, 2)}\n`;
}
